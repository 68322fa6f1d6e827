// SPDX-License-Identifier: Apache-2.0
import CLibvirt
import FoundationEssentials

/// The statistics of one domain, under libvirt's names (`cpu.time`, `block.0.rd.bytes`, …).
public struct DomainStatistics: Sendable {
    /// The domain.
    public let domain: Domain
    /// The values.
    public let values: TypedParameters
}

extension Domain {
    /// Groups of statistics; an empty set is all there are.
    public struct StatisticsGroups: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// State and reason.
        public static let state = Self(VIR_DOMAIN_STATS_STATE)
        /// CPU time.
        public static let cpu = Self(VIR_DOMAIN_STATS_CPU_TOTAL)
        /// The balloon, and the guest's memory.
        public static let balloon = Self(VIR_DOMAIN_STATS_BALLOON)
        /// Each vCPU.
        public static let vCPU = Self(VIR_DOMAIN_STATS_VCPU)
        /// Each interface.
        public static let interface = Self(VIR_DOMAIN_STATS_INTERFACE)
        /// Each disk.
        public static let block = Self(VIR_DOMAIN_STATS_BLOCK)
        /// Performance counters.
        public static let perf = Self(VIR_DOMAIN_STATS_PERF)
        /// Threads for I/O.
        public static let ioThread = Self(VIR_DOMAIN_STATS_IOTHREAD)
        /// Memory bandwidth.
        public static let memory = Self(VIR_DOMAIN_STATS_MEMORY)
        /// How fast memory is written.
        public static let dirtyRate = Self(VIR_DOMAIN_STATS_DIRTYRATE)
    }

    /// This domain's statistics.
    /// - Parameter noWait: leave out what would have to wait for another call on the domain.
    /// - Throws: `LibvirtError`.
    public func statistics(_ groups: StatisticsGroups, noWait: Bool = true) async throws -> TypedParameters {
        try await call { raw in
            var list: [OpaquePointer?] = [raw, nil]
            let flags = noWait ? VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT.rawValue : 0
            var records: UnsafeMutablePointer<virDomainStatsRecordPtr?>?
            let count = try check(virDomainListGetStats(&list, groups.rawValue, &records, flags))
            defer { virDomainStatsRecordListFree(records) }
            guard count > 0, let record = records?[0]?.pointee else { return [:] }
            return TypedParameters(copying: record.params, count: Int(record.nparams))
        }
    }
}

extension Connection {
    /// The statistics of all domains that pass the filter, in one round trip.
    /// - Parameter noWait: leave out what would have to wait for another call on the domain.
    /// - Throws: `LibvirtError`.
    public func statistics(
        _ groups: Domain.StatisticsGroups, _ filter: DomainFilter = [], noWait: Bool = true
    ) async throws -> [DomainStatistics] {
        try await call { raw in
            let flags = filter.rawValue | (noWait ? VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT.rawValue : 0)
            var records: UnsafeMutablePointer<virDomainStatsRecordPtr?>?
            let count = try check(virConnectGetAllDomainStats(raw, groups.rawValue, &records, flags))
            defer { virDomainStatsRecordListFree(records) }
            return (0..<Int(count)).compactMap { index in
                records?[index].map { self.statistics(of: $0.pointee) }
            }
        }
    }

    private func statistics(of record: virDomainStatsRecord) -> DomainStatistics {
        // The list frees its own reference of the domain.
        virDomainRef(record.dom)
        return DomainStatistics(
            domain: Domain(taking: record.dom, of: self),
            values: TypedParameters(copying: record.params, count: Int(record.nparams)))
    }
}
