// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

@testable import vctl

@Suite struct TopTests {
    private let id = ObjectID(vmID)!

    private func counters(_ cpu: Int64?, read: Int64? = 0) -> VMStatistics {
        var counters = VMStatistics(id: id, name: "web1")
        counters.cpuNanoseconds = cpu
        counters.diskReadBytes = read
        counters.memoryBytes = 1 << 30
        return counters
    }

    @Test func aRateIsADifference() {
        let rates = TopRates(
            counters(1_000_000_000, read: 100), counters(2_500_000_000, read: 2100), seconds: 2)
        #expect(rates.cpuPercent == 75 && rates.diskReadBytesPerSecond == 1000)
        #expect(rates.networkSentBytesPerSecond == nil && rates.memoryBytes == 1 << 30)
    }

    @Test func withoutTwoReadingsThereIsNoRate() {
        #expect(TopRates(nil, counters(5), seconds: 2).cpuPercent == nil)
        #expect(TopRates(counters(nil), counters(5), seconds: 2).cpuPercent == nil)
        // Started anew between the two.
        let rates = TopRates(counters(9_000_000_000), counters(1_000_000_000), seconds: 2)
        #expect(rates.cpuPercent == 50)
    }

    @Test(arguments: [
        ("cpu", "b a c"), ("memory", "c b a"), ("disk", "a b c"), ("network", "a c b"), ("name", "a b c"),
        ("net", "a c b"),
    ])
    func itIsSorted(_ word: String, _ names: String) throws {
        func rates(_ name: String, _ cpu: Double?, _ memory: Int64, _ disk: Int64?, _ net: Int64?) -> TopRates
        {
            var rates = TopRates(nil, VMStatistics(id: id, name: name), seconds: 1)
            rates.cpuPercent = cpu
            rates.memoryBytes = memory
            rates.diskReadBytesPerSecond = disk
            rates.networkSentBytesPerSecond = net
            return rates
        }
        let all = [rates("c", nil, 9, nil, 2), rates("a", 5, 1, 7, 3), rates("b", 50, 2, 0, nil)]
        let order = try #require(TopOrder(argument: word))
        #expect(all.sorted(by: order.precedes).map(\.name).joined(separator: " ") == names)
    }

    private func reply(_ seconds: Int, cpu: Int64) -> RawServer.Step {
        json(
            """
            {"takenAt":"2026-01-31T08:15:0\(seconds).000Z","monotonicNanoseconds":\(seconds)000000000,\
            "hostCpus":2,"vms":[{"id":"\(vmID)","name":"web1","cpus":1,"cpuNanoseconds":\(cpu),\
            "memoryHostBytes":104857600,"memoryBytes":134217728,"diskReadBytes":0,"diskWrittenBytes":0},\
            {"id":"\(operationID)","name":"db1","cpuNanoseconds":0}]}
            """)
    }

    @Test func oneLookIsATableOrJSON() throws {
        let server = try RawServer([
            [.request, reply(1, cpu: 0), .request, reply(3, cpu: 1_000_000_000)],
            [.request, reply(1, cpu: 0), .request, reply(3, cpu: 1_000_000_000)],
        ])
        let table = try Program.run(["vm", "top", "--once", "--interval", "200ms"], socket: server.path)
        #expect(
            table.out == """
                NAME  CPU%   MEMORY   READ  WRITE  RECEIVE  SEND
                web1  50.0  100 MiB  0 B/s  0 B/s        -     -
                db1    0.0        -      -      -        -     -

                """, "\(table)")
        let json = try Program.run(
            ["vm", "top", "--once", "--interval", "200ms", "--format", "json", "--vms", "web*"],
            socket: server.path)
        let rows = try JSONDecoder().decode([TopRates].self, from: Data(json.out.utf8))
        #expect(rows.map(\.cpuPercent) == [50] && rows.map(\.memoryMaximumBytes) == [128 << 20])
    }

    @Test func onlyOneLookHasOtherFormats() throws {
        let result = try Program.run(["vm", "top", "--format", "json"])
        #expect(result.status == 64 && result.err.contains("hint: vctl vm top --once --format json"))
    }

    @Test func keysSortAndEndIt() throws {
        let looks = (1...9).flatMap { [RawServer.Step.request, reply($0, cpu: Int64($0) * 1_000_000_000)] }
        let server = try RawServer([looks + [.hold]])
        let text = try Shells.typed(
            """
            zpty shell env TERM=xterm vctl vm top --interval 1s
            zpty -m -r shell text '*by cpu*web1*100.0*'
            zpty -n -w shell m
            zpty -m -r shell text '*by memory*web1*'
            zpty -n -w shell q
            zpty -m -r shell text '*1049l*'
            """, socket: server.path)
        #expect(text.contains("\u{1B}[?25h"))
    }

    @Test func longLinesAreCut() {
        #expect(TopScreen.cut("abcdef", 3) == "abc" && TopScreen.cut("日本語", 4) == "日本")
    }
}
