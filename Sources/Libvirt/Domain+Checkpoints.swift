// SPDX-License-Identifier: Apache-2.0
import CLibvirt

/// A point in time from which libvirt tracks a domain's writes.
public final class DomainCheckpoint: Handle, @unchecked Sendable {
    // SAFETY: a virDomainCheckpointPtr may be used from any thread, and counts its references atomically.
    let raw: OpaquePointer
    /// The domain it belongs to.
    public let domain: Domain
    var connection: Connection { domain.connection }

    init(taking raw: OpaquePointer, of domain: Domain) {
        self.raw = raw
        self.domain = domain
    }

    deinit {
        virDomainCheckpointFree(raw)
    }

    /// Its name.
    public var name: String {
        virDomainCheckpointGetName(raw).map { String(cString: $0) } ?? ""
    }

    /// How its XML is printed.
    public struct XMLFlags: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// With passwords.
        public static let secure = Self(VIR_DOMAIN_CHECKPOINT_XML_SECURE)
        /// Without the domain's definition.
        public static let noDomain = Self(VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN)
        /// With what was written since, per disk.
        public static let size = Self(VIR_DOMAIN_CHECKPOINT_XML_SIZE)
    }

    /// How it is deleted.
    public struct DeleteFlags: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// With all below it.
        public static let children = Self(VIR_DOMAIN_CHECKPOINT_DELETE_CHILDREN)
        /// Only what libvirt knows about it; the bitmap stays.
        public static let metadataOnly = Self(VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY)
        /// All below it, not itself.
        public static let childrenOnly = Self(VIR_DOMAIN_CHECKPOINT_DELETE_CHILDREN_ONLY)
    }

    /// Its XML.
    /// - Throws: `LibvirtError`.
    public func xml(_ flags: XMLFlags = []) async throws -> String {
        try await call { try takeString(virDomainCheckpointGetXMLDesc($0, flags.rawValue)) }
    }

    /// Deletes it; what it tracked goes to its parent.
    /// - Throws: `LibvirtError`.
    public func delete(_ flags: DeleteFlags = []) async throws {
        try await call { _ = try check(virDomainCheckpointDelete($0, flags.rawValue)) }
    }

    /// The checkpoint before it, or nil.
    /// - Throws: `LibvirtError`.
    public func parent() async throws -> DomainCheckpoint? {
        try await nilIfMissing(.noDomainCheckpoint) {
            try await self.call { raw in
                try DomainCheckpoint(
                    taking: checkHandle(virDomainCheckpointGetParent(raw, 0)), of: self.domain)
            }
        }
    }
}

extension Domain {
    /// How a checkpoint is made.
    public struct CheckpointFlags: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Only tell libvirt about one that exists.
        public static let redefine = Self(VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE)
        /// Freeze the file systems meanwhile.
        public static let quiesce = Self(VIR_DOMAIN_CHECKPOINT_CREATE_QUIESCE)
        /// With `redefine`: fail if the bitmap is missing or broken.
        public static let redefineValidate = Self(VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE)
    }

    /// Makes a checkpoint.
    /// - Throws: `LibvirtError`.
    public func createCheckpoint(_ xml: String, _ flags: CheckpointFlags = []) async throws
        -> DomainCheckpoint
    {
        try await call { raw in
            try DomainCheckpoint(
                taking: checkHandle(virDomainCheckpointCreateXML(raw, xml, flags.rawValue)), of: self)
        }
    }

    /// Its checkpoints, older before newer.
    /// - Throws: `LibvirtError`.
    public func checkpoints() async throws -> [DomainCheckpoint] {
        try await call { raw in
            let flags = VIR_DOMAIN_CHECKPOINT_LIST_TOPOLOGICAL.rawValue
            return try takeHandles { virDomainListAllCheckpoints(raw, $0, flags) }
                .map { DomainCheckpoint(taking: $0, of: self) }
        }
    }

    /// The checkpoint with a name.
    /// - Throws: `LibvirtError`, `noDomainCheckpoint` if there is none.
    public func checkpoint(name: String) async throws -> DomainCheckpoint {
        try await call { raw in
            try DomainCheckpoint(taking: checkHandle(virDomainCheckpointLookupByName(raw, name, 0)), of: self)
        }
    }
}
