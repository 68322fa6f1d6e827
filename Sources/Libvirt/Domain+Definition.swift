// SPDX-License-Identifier: Apache-2.0
import CLibvirt

extension Domain {
    /// How XML is printed.
    public struct XMLFlags: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// With passwords; refused on a read-only connection.
        public static let secure = Self(VIR_DOMAIN_XML_SECURE)
        /// The saved definition, not what runs.
        public static let inactive = Self(VIR_DOMAIN_XML_INACTIVE)
        /// The CPU with all its features.
        public static let updateCPU = Self(VIR_DOMAIN_XML_UPDATE_CPU)
        /// Fit for another host.
        public static let migratable = Self(VIR_DOMAIN_XML_MIGRATABLE)
    }

    /// What goes with a definition that is removed.
    public struct UndefineFlags: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// The saved memory.
        public static let managedSave = Self(VIR_DOMAIN_UNDEFINE_MANAGED_SAVE)
        /// What libvirt knows about snapshots.
        public static let snapshotsMetadata = Self(VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
        /// What libvirt knows about checkpoints.
        public static let checkpointsMetadata = Self(VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA)
        /// The UEFI variables.
        public static let nvram = Self(VIR_DOMAIN_UNDEFINE_NVRAM)
        /// Not the UEFI variables.
        public static let keepNVRAM = Self(VIR_DOMAIN_UNDEFINE_KEEP_NVRAM)
        /// The TPM's state.
        public static let tpm = Self(VIR_DOMAIN_UNDEFINE_TPM)
        /// Not the TPM's state.
        public static let keepTPM = Self(VIR_DOMAIN_UNDEFINE_KEEP_TPM)
    }

    /// What a change applies to; an empty set is the present state: live if it runs, else the definition.
    public struct Affect: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// The running guest.
        public static let live = Self(VIR_DOMAIN_AFFECT_LIVE)
        /// The saved definition.
        public static let config = Self(VIR_DOMAIN_AFFECT_CONFIG)
    }

    /// Its XML.
    /// - Throws: `LibvirtError`.
    public func xml(_ flags: XMLFlags = []) async throws -> String {
        try await call { try takeString(virDomainGetXMLDesc($0, flags.rawValue)) }
    }

    /// Removes the saved definition; a running domain becomes transient.
    /// - Throws: `LibvirtError`.
    public func undefine(_ flags: UndefineFlags = []) async throws {
        try await call { _ = try check(virDomainUndefineFlags($0, flags.rawValue)) }
    }

    /// Gives it another name; only while it is shut off.
    /// - Throws: `LibvirtError`.
    public func rename(to name: String) async throws {
        try await call { _ = try check(virDomainRename($0, name, 0)) }
    }

    /// Whether it starts with the host.
    /// - Throws: `LibvirtError`.
    public func autostart() async throws -> Bool {
        try await call { raw in
            var value: Int32 = 0
            try check(virDomainGetAutostart(raw, &value))
            return value != 0
        }
    }

    /// Sets whether it starts with the host.
    /// - Throws: `LibvirtError`.
    public func setAutostart(_ on: Bool) async throws {
        try await call { _ = try check(virDomainSetAutostart($0, on ? 1 : 0)) }
    }

    /// Sets how many vCPUs it has, or may have.
    /// - Throws: `LibvirtError`.
    public func setVCPUs(_ count: UInt32, maximum: Bool = false, _ affect: Affect) async throws {
        let flags = affect.rawValue | (maximum ? VIR_DOMAIN_VCPU_MAXIMUM.rawValue : 0)
        try await call { _ = try check(virDomainSetVcpusFlags($0, count, flags)) }
    }

    /// How many vCPUs it has, or may have.
    /// - Throws: `LibvirtError`.
    public func vCPUs(maximum: Bool = false, _ affect: Affect = []) async throws -> Int32 {
        let flags = affect.rawValue | (maximum ? VIR_DOMAIN_VCPU_MAXIMUM.rawValue : 0)
        return try await call { try check(virDomainGetVcpusFlags($0, flags)) }
    }

    /// Sets its memory, or its largest memory, in KiB.
    /// - Throws: `LibvirtError`.
    public func setMemory(kibibytes: UInt, maximum: Bool = false, _ affect: Affect) async throws {
        let flags = affect.rawValue | (maximum ? VIR_DOMAIN_MEM_MAXIMUM.rawValue : 0)
        try await call { _ = try check(virDomainSetMemoryFlags($0, kibibytes, flags)) }
    }

    /// Its largest memory in KiB.
    /// - Throws: `LibvirtError`.
    public func maximumMemory() async throws -> UInt {
        try await call { raw in
            let value = virDomainGetMaxMemory(raw)
            guard value > 0 else { throw LibvirtError.last() }
            return value
        }
    }

    /// Sets how often the balloon reports the guest's memory, in seconds; 0 stops it.
    /// - Throws: `LibvirtError`.
    public func setMemoryStatisticsPeriod(seconds: Int32, _ affect: Affect) async throws {
        try await call { _ = try check(virDomainSetMemoryStatsPeriod($0, seconds, affect.rawValue)) }
    }
}
