// SPDX-License-Identifier: Apache-2.0
import CLibvirt

extension Domain {
    /// How memory is saved.
    public struct SaveFlags: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Not through the page cache.
        public static let bypassCache = Self(VIR_DOMAIN_SAVE_BYPASS_CACHE)
        /// Running after the restore, whatever it is now.
        public static let running = Self(VIR_DOMAIN_SAVE_RUNNING)
        /// Paused after the restore, whatever it is now.
        public static let paused = Self(VIR_DOMAIN_SAVE_PAUSED)
    }

    /// Saves its memory where libvirt keeps such files, and stops it; the next start restores it.
    ///
    /// Takes as long as writing its memory: use a connection on `LibvirtExecutor.long`.
    /// - Throws: `LibvirtError`.
    public func managedSave(_ flags: SaveFlags = []) async throws {
        try await call { _ = try check(virDomainManagedSave($0, flags.rawValue)) }
    }

    /// Whether there is such a saved state.
    /// - Throws: `LibvirtError`.
    public func hasManagedSave() async throws -> Bool {
        try await call { try checkFlag(virDomainHasManagedSaveImage($0, 0)) }
    }

    /// Throws the saved state away.
    /// - Throws: `LibvirtError`.
    public func removeManagedSave() async throws {
        try await call { _ = try check(virDomainManagedSaveRemove($0, 0)) }
    }

    /// Saves its memory to a file of the host, and stops it.
    /// - Throws: `LibvirtError`.
    public func save(to path: String, xml: String? = nil, _ flags: SaveFlags = []) async throws {
        try await call { _ = try check(virDomainSaveFlags($0, path, xml, flags.rawValue)) }
    }

    /// Writes its memory to a file for a debugger.
    /// - Throws: `LibvirtError`.
    public func coreDump(to path: String, memoryOnly: Bool = true) async throws {
        let flags = memoryOnly ? VIR_DUMP_MEMORY_ONLY.rawValue : 0
        try await call { _ = try check(virDomainCoreDump($0, path, flags)) }
    }
}

extension Connection {
    /// Starts the domain whose memory was saved in a file.
    /// - Throws: `LibvirtError`.
    public func restoreDomain(
        from path: String, xml: String? = nil, _ flags: Domain.SaveFlags = []
    ) async throws {
        try await call { _ = try check(virDomainRestoreFlags($0, path, xml, flags.rawValue)) }
    }
}
