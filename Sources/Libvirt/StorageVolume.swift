// SPDX-License-Identifier: Apache-2.0
import CLibvirt
import FoundationEssentials

/// The sizes of a volume.
public struct StorageVolumeInfo: Sendable, Hashable {
    /// libvirt's number of its kind: file 0, block 1, directory 2, network 3.
    public let type: Int32
    /// What a guest sees, in bytes.
    public let capacity: UInt64
    /// What it takes, in bytes.
    public let allocation: UInt64
}

/// One disk or file in a storage pool.
public final class StorageVolume: Handle, @unchecked Sendable {
    // SAFETY: a virStorageVolPtr may be used from any thread, and counts its references atomically.
    let raw: OpaquePointer
    /// The connection it belongs to.
    public let connection: Connection

    init(taking raw: OpaquePointer, of connection: Connection) {
        self.raw = raw
        self.connection = connection
    }

    deinit {
        virStorageVolFree(raw)
    }

    /// Its name, unique in its pool.
    public var name: String {
        virStorageVolGetName(raw).map { String(cString: $0) } ?? ""
    }

    /// Its key, unique on the host.
    public var key: String {
        virStorageVolGetKey(raw).map { String(cString: $0) } ?? ""
    }

    /// The pool it is in.
    /// - Throws: `LibvirtError`.
    public func pool() async throws -> StoragePool {
        try await call { raw in
            try StoragePool(taking: checkHandle(virStoragePoolLookupByVolume(raw)), of: self.connection)
        }
    }

    /// Where it is on the host.
    /// - Throws: `LibvirtError`.
    public func path() async throws -> String {
        try await call { try takeString(virStorageVolGetPath($0)) }
    }

    /// Its XML.
    /// - Throws: `LibvirtError`.
    public func xml() async throws -> String {
        try await call { try takeString(virStorageVolGetXMLDesc($0, 0)) }
    }

    /// Its kind and sizes.
    /// - Throws: `LibvirtError`.
    public func info() async throws -> StorageVolumeInfo {
        try await call { try Self.readInfo($0) }
    }

    fileprivate static func readInfo(_ raw: OpaquePointer) throws -> StorageVolumeInfo {
        var info = virStorageVolInfo()
        try check(virStorageVolGetInfo(raw, &info))
        return StorageVolumeInfo(type: info.type, capacity: info.capacity, allocation: info.allocation)
    }

    /// Deletes it with its data.
    /// - Throws: `LibvirtError`.
    public func delete() async throws {
        try await call { _ = try check(virStorageVolDelete($0, 0)) }
    }

    /// Overwrites its data with zeros; takes as long as writing it.
    /// - Throws: `LibvirtError`.
    public func wipe() async throws {
        try await call { _ = try check(virStorageVolWipe($0, 0)) }
    }

    /// How it is made another size.
    public struct ResizeFlags: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Take the new space at once.
        public static let allocate = Self(VIR_STORAGE_VOL_RESIZE_ALLOCATE)
        /// The size is a difference.
        public static let delta = Self(VIR_STORAGE_VOL_RESIZE_DELTA)
        /// Smaller is allowed, and loses data.
        public static let shrink = Self(VIR_STORAGE_VOL_RESIZE_SHRINK)
    }

    /// Makes it another size, in bytes.
    /// - Throws: `LibvirtError`.
    public func resize(bytes: UInt64, _ flags: ResizeFlags = []) async throws {
        try await call { _ = try check(virStorageVolResize($0, bytes, flags.rawValue)) }
    }
}

extension StoragePool {
    /// How a volume is made.
    public struct VolumeFlags: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// qcow2 with its tables allocated.
        public static let preallocateMetadata = Self(VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA)
        /// Share blocks with the original, where the file system can.
        public static let reflink = Self(VIR_STORAGE_VOL_CREATE_REFLINK)
        /// Check the XML against the schema.
        public static let validate = Self(VIR_STORAGE_VOL_CREATE_VALIDATE)
    }

    /// Every volume in it.
    /// - Throws: `LibvirtError`, `operationInvalid` if the pool is not active.
    public func volumes() async throws -> [StorageVolume] {
        try await call { _ in try self.listVolumes() }
    }

    fileprivate func listVolumes() throws -> [StorageVolume] {
        try takeHandles { virStoragePoolListAllVolumes(raw, $0, 0) }
            .map { StorageVolume(taking: $0, of: connection) }
    }

    /// The volume with a name.
    /// - Throws: `LibvirtError`, `noStorageVol` if there is none.
    public func volume(name: String) async throws -> StorageVolume {
        try await call { raw in
            try StorageVolume(taking: checkHandle(virStorageVolLookupByName(raw, name)), of: self.connection)
        }
    }

    /// Makes an empty volume.
    /// - Throws: `LibvirtError`, `storageVolExist` if the name is taken.
    public func createVolume(_ xml: String, _ flags: VolumeFlags = []) async throws -> StorageVolume {
        try await call { raw in
            try StorageVolume(
                taking: checkHandle(virStorageVolCreateXML(raw, xml, flags.rawValue)), of: self.connection)
        }
    }

    /// Makes a volume with the data of another one; takes as long as copying it.
    /// - Throws: `LibvirtError`.
    public func createVolume(
        _ xml: String, cloning original: StorageVolume, _ flags: VolumeFlags = []
    ) async throws -> StorageVolume {
        try await call { raw in
            try StorageVolume(
                taking: checkHandle(virStorageVolCreateXMLFrom(raw, xml, original.raw, flags.rawValue)),
                of: self.connection)
        }
    }
}

extension Connection {
    /// The volume at a path of the host, if a pool knows it.
    /// - Throws: `LibvirtError`, `noStorageVol` if there is none.
    public func volume(path: String) async throws -> StorageVolume {
        try await call {
            try StorageVolume(taking: checkHandle(virStorageVolLookupByPath($0, path)), of: self)
        }
    }

    /// The volume with a key.
    /// - Throws: `LibvirtError`, `noStorageVol` if there is none.
    public func volume(key: String) async throws -> StorageVolume {
        try await call { try StorageVolume(taking: checkHandle(virStorageVolLookupByKey($0, key)), of: self) }
    }
}

/// All that a mirror of a pool's volumes needs to know about one.
public struct VolumeRecord: Sendable, Hashable {
    /// Its name.
    public let name: String
    /// Its key.
    public let key: String
    /// Where it is on the host.
    public let path: String
    /// Its kind and sizes.
    public let info: StorageVolumeInfo
    /// Its XML.
    public let xml: String
}

extension StoragePool {
    /// Every volume's record, in one hop to the executor. What vanishes meanwhile is left out.
    /// - Throws: `LibvirtError`, `operationInvalid` if the pool is not active.
    public func volumeRecords() async throws -> [VolumeRecord] {
        try await call { _ in
            try self.listVolumes().compactMap { volume in
                try skipping(.noStorageVol) { try volume.readRecord() }
            }
        }
    }
}

extension StorageVolume {
    /// Its record, in one hop.
    /// - Throws: `LibvirtError`, `noStorageVol` if it is gone.
    public func record() async throws -> VolumeRecord {
        try await call { _ in try self.readRecord() }
    }

    fileprivate func readRecord() throws -> VolumeRecord {
        try VolumeRecord(
            name: name, key: key, path: takeString(virStorageVolGetPath(raw)), info: Self.readInfo(raw),
            xml: takeString(virStorageVolGetXMLDesc(raw, 0)))
    }
}
