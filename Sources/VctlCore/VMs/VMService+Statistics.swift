// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import VctlAPI

extension VMService {
    /// The counters of all running VMs. They are libvirt's alone and change all the time, so that this read
    /// goes to libvirt, in one call for all.
    /// - Throws: ``Problem`` `libvirt.unavailable`.
    public func statistics() async throws -> Statistics {
        do {
            let connection = try environment.hypervisor.connection()
            let records = try await connection.statistics(
                [.cpu, .balloon, .vCPU, .interface, .block], .active)
            let vms = records.map {
                VMStatistics($0.values, id: ObjectID($0.domain.uuid), name: $0.domain.name)
            }
            return Statistics(
                takenAt: .now, monotonicNanoseconds: Self.clock,
                hostCpus: ProcessInfo.processInfo.processorCount,
                vms: vms.sorted { $0.name < $1.name })
        } catch {
            throw Problem(describing: error)
        }
    }

    private static var clock: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

extension VMStatistics {
    /// From libvirt's names; KiB become bytes, and devices are added up.
    init(_ values: TypedParameters, id: ObjectID, name: String) {
        self.init(id: id, name: name)
        cpus = values["vcpu.current"]?.integer.map { Int($0) }
        cpuNanoseconds = values["cpu.time"]?.integer
        memoryBytes = values.kibibytes("balloon.current")
        memoryHostBytes = values.kibibytes("balloon.rss")
        if let available = values.kibibytes("balloon.available"),
            let free = values.kibibytes("balloon.usable") ?? values.kibibytes("balloon.unused")
        {
            memoryUsedBytes = available - min(free, available)
        }
        diskReadBytes = values.sum("block", "rd.bytes")
        diskWrittenBytes = values.sum("block", "wr.bytes")
        diskReads = values.sum("block", "rd.reqs")
        diskWrites = values.sum("block", "wr.reqs")
        networkReceivedBytes = values.sum("net", "rx.bytes")
        networkSentBytes = values.sum("net", "tx.bytes")
    }
}

extension TypedParameters {
    /// A guest makes some of these up.
    fileprivate func kibibytes(_ name: String) -> Int64? {
        guard let count = self[name]?.integer, count >= 0 else { return nil }
        let (bytes, isTooMany) = count.multipliedReportingOverflow(by: 1024)
        return isTooMany ? nil : bytes
    }

    /// The sum over all devices of a group; `nil` where none of them tells it.
    fileprivate func sum(_ group: String, _ counter: String) -> Int64? {
        let count = self["\(group).count"]?.integer ?? 0
        let values = (0..<count).compactMap { self["\(group).\($0).\(counter)"]?.integer }
        return values.isEmpty && count > 0 ? nil : values.reduce(0, &+)
    }
}
