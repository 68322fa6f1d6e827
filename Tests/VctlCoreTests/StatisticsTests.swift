// SPDX-License-Identifier: Apache-2.0
import Libvirt
import Testing
import VctlAPI

@testable import VctlCore

@Suite struct StatisticsTests {
    private let id = ObjectID("6ba7b810-9dad-41d1-80b4-00c04fd430c8")!

    @Test func devicesAreAddedUp() {
        let values: TypedParameters = [
            "cpu.time": .ulong(7), "vcpu.current": .uint(2), "balloon.current": .ulong(1024),
            "balloon.rss": .ulong(2048), "balloon.available": .ulong(1000), "balloon.usable": .ulong(400),
            "block.count": .uint(2), "block.0.rd.bytes": .ulong(5), "block.1.rd.bytes": .ulong(6),
            "block.1.wr.reqs": .ulong(3), "net.count": .uint(1), "net.0.tx.bytes": .ulong(9),
        ]
        let counters = VMStatistics(values, id: id, name: "web1")
        #expect(counters.cpuNanoseconds == 7 && counters.cpus == 2 && counters.memoryBytes == 1 << 20)
        #expect(counters.memoryHostBytes == 2 << 20 && counters.memoryUsedBytes == 600 * 1024)
        #expect(counters.diskReadBytes == 11 && counters.diskWrites == 3 && counters.networkSentBytes == 9)
    }

    @Test func whatIsNotToldIsAbsent() {
        let counters = VMStatistics(["block.count": .uint(1)], id: id, name: "web1")
        #expect(counters.diskReadBytes == nil && counters.cpuNanoseconds == nil)
        #expect(counters.networkSentBytes == 0 && counters.memoryUsedBytes == nil)
    }
}
