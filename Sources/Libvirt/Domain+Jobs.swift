// SPDX-License-Identifier: Apache-2.0
import CLibvirt

/// The long work on a domain (backup, save, migration), or the last one that ended.
public struct DomainJob: Sendable, Hashable {
    /// libvirt's number of the job's stage: none, bounded, unbounded, completed, failed, cancelled.
    public let type: Int32
    /// Its counters under libvirt's names (`disk_total`, `disk_processed`, `success`, `errmsg`, …).
    public let values: TypedParameters

    /// Whether there is one at all.
    public var exists: Bool { type != Int32(VIR_DOMAIN_JOB_NONE.rawValue) }
}

extension Domain {
    /// Begins a backup job, and with it, if asked, makes a checkpoint.
    /// - Parameter reuseExternal: the target files exist already.
    /// - Throws: `LibvirtError`.
    public func beginBackup(
        _ xml: String, checkpoint: String? = nil, reuseExternal: Bool = false
    ) async throws {
        let flags = reuseExternal ? VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL.rawValue : 0
        try await call { _ = try check(virDomainBackupBegin($0, xml, checkpoint, flags)) }
    }

    /// The XML of the running backup job, or nil if there is none.
    /// - Throws: `LibvirtError`.
    public func backupXML() async throws -> String? {
        try await nilIfMissing(.noDomainBackup) {
            try await self.call { try takeString(virDomainBackupGetXMLDesc($0, 0)) }
        }
    }

    /// The running job, or with `completed` the one that ended last.
    /// - Parameter keep: with `completed`, let libvirt remember it.
    /// - Throws: `LibvirtError`.
    public func job(completed: Bool = false, keep: Bool = true) async throws -> DomainJob {
        var flags: UInt32 = 0
        if completed { flags |= VIR_DOMAIN_JOB_STATS_COMPLETED.rawValue }
        if completed && keep { flags |= VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED.rawValue }
        return try await readJob(flags)
    }

    private func readJob(_ flags: UInt32) async throws -> DomainJob {
        try await call { raw in
            var type: Int32 = 0
            var parameters: UnsafeMutablePointer<virTypedParameter>?
            var count: Int32 = 0
            try check(virDomainGetJobStats(raw, &type, &parameters, &count, flags))
            return DomainJob(type: type, values: TypedParameters(taking: parameters, count: count))
        }
    }

    /// Ends the running job. For a pull backup this is success.
    /// - Throws: `LibvirtError`.
    public func abortJob() async throws {
        try await call { _ = try check(virDomainAbortJob($0)) }
    }
}
