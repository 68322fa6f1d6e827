// SPDX-License-Identifier: Apache-2.0
import CLibvirt

/// A snapshot of a domain.
public final class DomainSnapshot: Handle, @unchecked Sendable {
    // SAFETY: a virDomainSnapshotPtr may be used from any thread, and counts its references atomically.
    let raw: OpaquePointer
    /// The domain it belongs to.
    public let domain: Domain
    var connection: Connection { domain.connection }

    init(taking raw: OpaquePointer, of domain: Domain) {
        self.raw = raw
        self.domain = domain
    }

    deinit {
        virDomainSnapshotFree(raw)
    }

    /// Its name.
    public var name: String {
        virDomainSnapshotGetName(raw).map { String(cString: $0) } ?? ""
    }

    /// How it is deleted.
    public struct DeleteFlags: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// With all below it.
        public static let children = Self(VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN)
        /// All below it, not itself.
        public static let childrenOnly = Self(VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY)
        /// Only what libvirt knows about it, no data.
        public static let metadataOnly = Self(VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY)
    }

    /// How the domain goes back to it.
    public struct RevertFlags: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Running afterwards.
        public static let running = Self(VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING)
        /// Paused afterwards.
        public static let paused = Self(VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED)
        /// Even where libvirt finds it risky.
        public static let force = Self(VIR_DOMAIN_SNAPSHOT_REVERT_FORCE)
        /// With the UEFI variables made anew.
        public static let resetNVRAM = Self(VIR_DOMAIN_SNAPSHOT_REVERT_RESET_NVRAM)
    }

    /// Its XML; with `secure`, passwords of the domain too.
    /// - Throws: `LibvirtError`.
    public func xml(secure: Bool = false) async throws -> String {
        let flags = secure ? VIR_DOMAIN_SNAPSHOT_XML_SECURE.rawValue : 0
        return try await call { try takeString(virDomainSnapshotGetXMLDesc($0, flags)) }
    }

    /// Deletes it.
    /// - Throws: `LibvirtError`.
    public func delete(_ flags: DeleteFlags = []) async throws {
        try await call { _ = try check(virDomainSnapshotDelete($0, flags.rawValue)) }
    }

    /// Takes the domain back to it.
    /// - Throws: `LibvirtError`.
    public func revert(_ flags: RevertFlags = []) async throws {
        try await call { _ = try check(virDomainRevertToSnapshot($0, flags.rawValue)) }
    }

    /// The snapshot it was made on, or nil.
    /// - Throws: `LibvirtError`.
    public func parent() async throws -> DomainSnapshot? {
        try await nilIfMissing(.noDomainSnapshot) {
            try await self.call { raw in
                try DomainSnapshot(taking: checkHandle(virDomainSnapshotGetParent(raw, 0)), of: self.domain)
            }
        }
    }

    /// Whether the domain stands on it.
    /// - Throws: `LibvirtError`.
    public func isCurrent() async throws -> Bool {
        try await call { try checkFlag(virDomainSnapshotIsCurrent($0, 0)) }
    }
}

extension Domain {
    /// How a snapshot is made.
    public struct SnapshotFlags: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Only tell libvirt about one that exists.
        public static let redefine = Self(VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE)
        /// With `redefine`: it is the current one.
        public static let current = Self(VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT)
        /// libvirt does not remember it.
        public static let noMetadata = Self(VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA)
        /// Stop the guest afterwards.
        public static let halt = Self(VIR_DOMAIN_SNAPSHOT_CREATE_HALT)
        /// No memory.
        public static let diskOnly = Self(VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY)
        /// The files exist already.
        public static let reuseExternal = Self(VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT)
        /// Freeze the file systems meanwhile.
        public static let quiesce = Self(VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE)
        /// All disks or none.
        public static let atomic = Self(VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC)
        /// The guest runs on while its memory is saved.
        public static let live = Self(VIR_DOMAIN_SNAPSHOT_CREATE_LIVE)
        /// Check the XML against the schema.
        public static let validate = Self(VIR_DOMAIN_SNAPSHOT_CREATE_VALIDATE)
    }

    /// Makes a snapshot.
    /// - Throws: `LibvirtError`.
    public func createSnapshot(_ xml: String, _ flags: SnapshotFlags = []) async throws -> DomainSnapshot {
        try await call { raw in
            try DomainSnapshot(
                taking: checkHandle(virDomainSnapshotCreateXML(raw, xml, flags.rawValue)), of: self)
        }
    }

    /// Its snapshots, parents before their children.
    /// - Throws: `LibvirtError`.
    public func snapshots() async throws -> [DomainSnapshot] {
        try await call { raw in
            let flags = VIR_DOMAIN_SNAPSHOT_LIST_TOPOLOGICAL.rawValue
            return try takeHandles { virDomainListAllSnapshots(raw, $0, flags) }
                .map { DomainSnapshot(taking: $0, of: self) }
        }
    }

    /// The snapshot with a name.
    /// - Throws: `LibvirtError`, `noDomainSnapshot` if there is none.
    public func snapshot(name: String) async throws -> DomainSnapshot {
        try await call { raw in
            try DomainSnapshot(taking: checkHandle(virDomainSnapshotLookupByName(raw, name, 0)), of: self)
        }
    }

    /// The snapshot that the domain stands on, or nil.
    /// - Throws: `LibvirtError`.
    public func currentSnapshot() async throws -> DomainSnapshot? {
        try await nilIfMissing(.noDomainSnapshot) {
            try await self.call { raw in
                try DomainSnapshot(taking: checkHandle(virDomainSnapshotCurrent(raw, 0)), of: self)
            }
        }
    }
}

/// The result, or nil where libvirt says that the thing does not exist.
func nilIfMissing<T>(_ code: LibvirtError.Code, _ body: () async throws -> T) async throws -> T? {
    do {
        return try await body()
    } catch let error as LibvirtError where error.code == code {
        return nil
    }
}
