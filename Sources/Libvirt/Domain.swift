// SPDX-License-Identifier: Apache-2.0
import CLibvirt
import FoundationEssentials

/// A guest, as libvirt knows it.
///
/// A handle says nothing about whether the domain still exists; a call on one that is gone throws `noDomain`.
public final class Domain: Handle, @unchecked Sendable {
    // SAFETY: a virDomainPtr may be used from any thread, and counts its references atomically.
    let raw: OpaquePointer
    /// The connection it belongs to.
    public let connection: Connection
    /// Its UUID; never changes.
    public let uuid: UUID

    init(taking raw: OpaquePointer, of connection: Connection) {
        self.raw = raw
        self.connection = connection
        uuid = UUID { virDomainGetUUID(raw, $0) }
    }

    deinit {
        virDomainFree(raw)
    }

    /// Its name when the handle was made, or after its latest `rename` through this handle.
    public var name: String {
        virDomainGetName(raw).map { String(cString: $0) } ?? ""
    }

    /// The hypervisor's number of a running domain, as of when the handle was made.
    public var id: Int32? {
        let id = virDomainGetID(raw)
        return id == UInt32.max ? nil : Int32(bitPattern: id)
    }
}

extension Connection {
    /// Which domains a list shall hold; an empty set is all.
    public struct DomainFilter: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Those that run, or are paused.
        public static let active = Self(VIR_CONNECT_LIST_DOMAINS_ACTIVE)
        /// Those that do not.
        public static let inactive = Self(VIR_CONNECT_LIST_DOMAINS_INACTIVE)
        /// Those with a saved definition.
        public static let persistent = Self(VIR_CONNECT_LIST_DOMAINS_PERSISTENT)
        /// Those that vanish when they stop.
        public static let transient = Self(VIR_CONNECT_LIST_DOMAINS_TRANSIENT)
        /// Those that run.
        public static let running = Self(VIR_CONNECT_LIST_DOMAINS_RUNNING)
        /// Those that are paused.
        public static let paused = Self(VIR_CONNECT_LIST_DOMAINS_PAUSED)
        /// Those that are shut off.
        public static let shutoff = Self(VIR_CONNECT_LIST_DOMAINS_SHUTOFF)
        /// Those whose memory was saved by libvirt.
        public static let managedSave = Self(VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE)
        /// Those that start with the host.
        public static let autostart = Self(VIR_CONNECT_LIST_DOMAINS_AUTOSTART)
        /// Those with snapshots.
        public static let hasSnapshot = Self(VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT)
        /// Those with checkpoints.
        public static let hasCheckpoint = Self(VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT)
    }

    /// How a definition is treated.
    public struct DefineFlags: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Check it against libvirt's schema first.
        public static let validate = Self(VIR_DOMAIN_DEFINE_VALIDATE)
    }

    /// Every domain that passes the filter, in one round trip.
    /// - Throws: `LibvirtError`.
    public func domains(_ filter: DomainFilter = []) async throws -> [Domain] {
        try await call { _ in try self.listDomains(filter) }
    }

    func listDomains(_ filter: DomainFilter = []) throws -> [Domain] {
        try takeHandles { virConnectListAllDomains(raw, $0, filter.rawValue) }
            .map { Domain(taking: $0, of: self) }
    }

    /// The domain with a UUID.
    /// - Throws: `LibvirtError`, `noDomain` if there is none.
    public func domain(uuid: UUID) async throws -> Domain {
        try await call { raw in
            try Domain(taking: checkHandle(uuid.withBytes { virDomainLookupByUUID(raw, $0) }), of: self)
        }
    }

    /// The domain with a name.
    /// - Throws: `LibvirtError`, `noDomain` if there is none.
    public func domain(name: String) async throws -> Domain {
        try await call { try Domain(taking: checkHandle(virDomainLookupByName($0, name)), of: self) }
    }

    /// Saves a definition; replaces the one with the same UUID.
    /// - Throws: `LibvirtError`: `xmlError`, `xmlDetail`, `configUnsupported`, ….
    public func define(domain xml: String, _ flags: DefineFlags = .validate) async throws -> Domain {
        try await call {
            try Domain(taking: checkHandle(virDomainDefineXMLFlags($0, xml, flags.rawValue)), of: self)
        }
    }

    /// Starts a transient domain.
    /// - Throws: `LibvirtError`.
    public func create(domain xml: String, _ flags: Domain.StartFlags = []) async throws -> Domain {
        try await call {
            try Domain(taking: checkHandle(virDomainCreateXML($0, xml, flags.rawValue)), of: self)
        }
    }
}
