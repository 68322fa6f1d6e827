// SPDX-License-Identifier: Apache-2.0
import CLibvirt
import FoundationEssentials

/// What a storage pool holds.
public struct StoragePoolInfo: Sendable, Hashable {
    /// What a pool is doing.
    public enum State: Int32, Sendable {
        /// Not active.
        case inactive = 0
        /// Being started or built.
        case building = 1
        /// Usable.
        case running = 2
        /// Usable, but not in full health.
        case degraded = 3
        /// Not reachable.
        case inaccessible = 4
    }

    /// What it is doing.
    public let state: State
    /// Its size in bytes.
    public let capacity: UInt64
    /// What is used, in bytes.
    public let allocation: UInt64
    /// What is free, in bytes.
    public let available: UInt64
}

/// A place where volumes are kept.
public final class StoragePool: Handle, @unchecked Sendable {
    // SAFETY: a virStoragePoolPtr may be used from any thread, and counts its references atomically.
    let raw: OpaquePointer
    /// The connection it belongs to.
    public let connection: Connection
    /// Its UUID; never changes.
    public let uuid: UUID

    init(taking raw: OpaquePointer, of connection: Connection) {
        self.raw = raw
        self.connection = connection
        uuid = UUID { virStoragePoolGetUUID(raw, $0) }
    }

    deinit {
        virStoragePoolFree(raw)
    }

    /// Its name.
    public var name: String {
        virStoragePoolGetName(raw).map { String(cString: $0) } ?? ""
    }

    /// How storage is prepared.
    public struct BuildFlags: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Make anew what is damaged.
        public static let repair = Self(VIR_STORAGE_POOL_BUILD_REPAIR)
        /// Make it larger.
        public static let resize = Self(VIR_STORAGE_POOL_BUILD_RESIZE)
        /// Fail where something is.
        public static let noOverwrite = Self(VIR_STORAGE_POOL_BUILD_NO_OVERWRITE)
        /// Wipe what is there.
        public static let overwrite = Self(VIR_STORAGE_POOL_BUILD_OVERWRITE)
    }

    /// Prepares the storage: makes the directory, the file system, the volume group.
    /// - Throws: `LibvirtError`.
    public func build(_ flags: BuildFlags = []) async throws {
        try await call { _ = try check(virStoragePoolBuild($0, flags.rawValue)) }
    }

    /// Starts it.
    /// - Throws: `LibvirtError`, `operationInvalid` if it is active.
    public func start() async throws {
        try await call { _ = try check(virStoragePoolCreate($0, 0)) }
    }

    /// Stops it; the data stays.
    /// - Throws: `LibvirtError`, `operationInvalid` if it is not active.
    public func destroy() async throws {
        try await call { _ = try check(virStoragePoolDestroy($0)) }
    }

    /// Deletes the storage itself (for a directory: if it is empty).
    /// - Throws: `LibvirtError`.
    public func delete() async throws {
        try await call { _ = try check(virStoragePoolDelete($0, 0)) }
    }

    /// Removes its saved definition.
    /// - Throws: `LibvirtError`.
    public func undefine() async throws {
        try await call { _ = try check(virStoragePoolUndefine($0)) }
    }

    /// Looks again at what is in it.
    /// - Throws: `LibvirtError`.
    public func refresh() async throws {
        try await call { _ = try check(virStoragePoolRefresh($0, 0)) }
    }

    /// Its state and sizes.
    /// - Throws: `LibvirtError`.
    public func info() async throws -> StoragePoolInfo {
        try await call { raw in
            var info = virStoragePoolInfo()
            try check(virStoragePoolGetInfo(raw, &info))
            return StoragePoolInfo(
                state: StoragePoolInfo.State(rawValue: info.state) ?? .inactive, capacity: info.capacity,
                allocation: info.allocation, available: info.available)
        }
    }

    /// Its XML: what is active, or with `inactive` the saved definition.
    /// - Throws: `LibvirtError`.
    public func xml(inactive: Bool = false) async throws -> String {
        try await call { _ in try self.readXML(inactive: inactive) }
    }

    func readXML(inactive: Bool) throws -> String {
        let flags = inactive ? VIR_STORAGE_XML_INACTIVE.rawValue : 0
        // The test driver has one definition only, and no such flag.
        return try skipping(.invalidArgument) { try takeString(virStoragePoolGetXMLDesc(raw, flags)) }
            ?? takeString(virStoragePoolGetXMLDesc(raw, 0))
    }

    /// Whether it is active.
    /// - Throws: `LibvirtError`.
    public func isActive() async throws -> Bool {
        try await call { try checkFlag(virStoragePoolIsActive($0)) }
    }

    /// Whether it has a saved definition.
    /// - Throws: `LibvirtError`.
    public func isPersistent() async throws -> Bool {
        try await call { try checkFlag(virStoragePoolIsPersistent($0)) }
    }

    /// Whether it starts with the host.
    /// - Throws: `LibvirtError`.
    public func autostart() async throws -> Bool {
        try await call { raw in
            var value: Int32 = 0
            try check(virStoragePoolGetAutostart(raw, &value))
            return value != 0
        }
    }

    /// Sets whether it starts with the host.
    /// - Throws: `LibvirtError`.
    public func setAutostart(_ on: Bool) async throws {
        try await call { _ = try check(virStoragePoolSetAutostart($0, on ? 1 : 0)) }
    }
}

extension Connection {
    /// Every storage pool.
    /// - Throws: `LibvirtError`.
    public func storagePools() async throws -> [StoragePool] {
        try await call { _ in try self.listStoragePools() }
    }

    func listStoragePools() throws -> [StoragePool] {
        try takeHandles { virConnectListAllStoragePools(raw, $0, 0) }
            .map { StoragePool(taking: $0, of: self) }
    }

    /// The pool with a UUID.
    /// - Throws: `LibvirtError`, `noStoragePool` if there is none.
    public func storagePool(uuid: UUID) async throws -> StoragePool {
        try await call { raw in
            try StoragePool(
                taking: checkHandle(uuid.withBytes { virStoragePoolLookupByUUID(raw, $0) }), of: self)
        }
    }

    /// The pool with a name.
    /// - Throws: `LibvirtError`, `noStoragePool` if there is none.
    public func storagePool(name: String) async throws -> StoragePool {
        try await call {
            try StoragePool(taking: checkHandle(virStoragePoolLookupByName($0, name)), of: self)
        }
    }

    /// The active pool whose directory is a path.
    /// - Throws: `LibvirtError`, `noStoragePool` if there is none.
    public func storagePool(targetPath path: String) async throws -> StoragePool {
        try await call {
            try StoragePool(taking: checkHandle(virStoragePoolLookupByTargetPath($0, path)), of: self)
        }
    }

    /// Saves a definition; replaces the one with the same UUID.
    /// - Parameter validate: check it against libvirt's schema first.
    /// - Throws: `LibvirtError`.
    public func define(storagePool xml: String, validate: Bool = true) async throws -> StoragePool {
        let flags = validate ? VIR_STORAGE_POOL_DEFINE_VALIDATE.rawValue : 0
        return try await call {
            try StoragePool(taking: checkHandle(virStoragePoolDefineXML($0, xml, flags)), of: self)
        }
    }
}
