// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import FoundationEssentials
import Glibc
import VctlAPI
import VctlClient

/// What one VM uses, between two readings of its counters.
struct TopRates: Codable, Hashable {
    var name: String
    var id: ObjectID
    var cpus: Int?
    /// 100 is one whole CPU of the host.
    var cpuPercent: Double?
    /// What it takes of the host, or what the guest has where that is not told.
    var memoryBytes: Int64?
    var memoryMaximumBytes: Int64?
    var diskReadBytesPerSecond: Int64?
    var diskWrittenBytesPerSecond: Int64?
    var networkReceivedBytesPerSecond: Int64?
    var networkSentBytesPerSecond: Int64?

    /// - Parameter seconds: between the two readings.
    init(_ before: VMStatistics?, _ now: VMStatistics, seconds: Double) {
        name = now.name
        id = now.id
        cpus = now.cpus
        memoryBytes = now.memoryHostBytes ?? now.memoryUsedBytes ?? now.memoryBytes
        memoryMaximumBytes = now.memoryBytes
        guard let before, seconds > 0 else { return }
        func rate(_ counter: KeyPath<VMStatistics, Int64?>) -> Double? {
            guard let old = before[keyPath: counter], let new = now[keyPath: counter] else { return nil }
            // A VM that was started anew counts from zero.
            return Double(new >= old ? new - old : new) / seconds
        }
        cpuPercent = rate(\.cpuNanoseconds).map { ($0 / 1e7 * 10).rounded() / 10 }
        diskReadBytesPerSecond = rate(\.diskReadBytes).map { Int64($0) }
        diskWrittenBytesPerSecond = rate(\.diskWrittenBytes).map { Int64($0) }
        networkReceivedBytesPerSecond = rate(\.networkReceivedBytes).map { Int64($0) }
        networkSentBytesPerSecond = rate(\.networkSentBytes).map { Int64($0) }
    }

    /// As JSON, in the order of the members.
    func bytes() throws -> [UInt8] { [UInt8](try JSONEncoder().encode(self)) }

    var disk: Int64 { (diskReadBytesPerSecond ?? 0) + (diskWrittenBytesPerSecond ?? 0) }
    var network: Int64 { (networkReceivedBytesPerSecond ?? 0) + (networkSentBytesPerSecond ?? 0) }
}

/// By what `vm top` sorts; the largest first, names from A.
enum TopOrder: String, ExpressibleByArgument, CaseIterable {
    case cpu, memory, disk, network, name

    /// The order that a key on the terminal asks for.
    init?(key: UInt8) {
        switch key {
        case UInt8(ascii: "c"): self = .cpu
        case UInt8(ascii: "m"): self = .memory
        case UInt8(ascii: "d"): self = .disk
        case UInt8(ascii: "n"): self = .network
        case UInt8(ascii: "a"): self = .name
        default: return nil
        }
    }

    init?(argument: String) {
        self.init(rawValue: argument == "net" ? "network" : argument)
    }

    func precedes(_ left: TopRates, _ right: TopRates) -> Bool {
        let (a, b) = (weight(left), weight(right))
        return a == b ? left.name < right.name : a > b
    }

    private func weight(_ rates: TopRates) -> Double {
        switch self {
        case .cpu: rates.cpuPercent ?? 0
        case .memory: Double(rates.memoryBytes ?? 0)
        case .disk: Double(rates.disk)
        case .network: Double(rates.network)
        case .name: 0
        }
    }
}

/// Reads the counters again and again.
final class TopSampler {
    let client: Client
    let seconds: Double
    private let glob: String?
    private var last: Statistics?

    init(_ client: Client, seconds: Double, glob: String?) {
        self.client = client
        self.seconds = seconds
        self.glob = glob
    }

    /// One look: the rates since the one before, without rates at the first.
    func look() throws -> [TopRates] {
        let now: Statistics = try client.send(Request(Endpoints.named("statistics"))).decoded()
        defer { last = now }
        let before = Dictionary((last?.vms ?? []).map { ($0.id, $0) }) { $1 }
        let span = Double(now.monotonicNanoseconds - (last?.monotonicNanoseconds ?? 0)) / 1e9
        let chosen = now.vms.filter { vm in glob.map { fnmatch($0, vm.name, 0) == 0 } ?? true }
        return chosen.map { TopRates(before[$0.id], $0, seconds: span) }
    }

    /// Rates, after the time between two looks.
    func nextRates() throws -> [TopRates] {
        if last == nil { _ = try look() }
        try Poll.sleep(seconds: seconds, until: .never, client.interrupts)
        return try look()
    }
}
