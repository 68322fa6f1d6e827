// SPDX-License-Identifier: Apache-2.0
import Foundation
import HostNet
import VctlAPI

/// Sends packets on all ways at once, and sees which arrive. What is to arrive is waited for; the rest has as
/// long as that, and some time more.
final class CheckFlights {
    /// A way, and what was seen of it.
    private final class Flight {
        var path: NetworkPath
        let sender: ProbeSocket
        /// `nil`: the kernel answers.
        let receiver: ProbeSocket?
        let target: [UInt8]
        let token = (0..<16).map { _ in UInt8.random(in: 0...255) }
        var hasArrived = false
        var isAnswered = false

        init(_ path: NetworkPath, _ sender: ProbeSocket, _ receiver: ProbeSocket?, to target: [UInt8]) {
            (self.path, self.sender, self.receiver, self.target) = (path, sender, receiver, target)
        }

        var isLong: Bool { target.count == 16 }
        var identifier: UInt16 { UInt16(token[0]) << 8 | UInt16(token[1]) }
    }

    private let probes: CheckProbes
    private var flights: [Flight] = []
    private var rest: [NetworkPath] = []

    /// - Throws: ``HostNetError``.
    init(_ probes: CheckProbes) throws {
        self.probes = probes
        for family in probes.families {
            for path in family.paths() { try prepare(path, family) }
        }
    }

    private func prepare(_ path: NetworkPath, _ family: CheckFamily) throws {
        let crosses = path.from == .outside || path.to == .outside
        guard path.to != .dhcp else { return rest.append(asked(path)) }
        guard family.guests.count == 2 || path.to != .neighbour, !family.guests.isEmpty,
            !(crosses && probes.confined.contains(family.family))
        else { return rest.append(path) }
        let isLong = family.family == .ipv6
        // A host that has no route there is made to try it nevertheless.
        let link = path.from == .host && !family.isOwn ? probes.bridge : nil
        // Of the host only the kernel's own answers are let through everywhere.
        let isEcho = path.to == .host
        let sender = try probes.inside(path.from) {
            try ProbeSocket(isLong: isLong, isEcho ? .echo : .udp, link: link)
        }
        let receiver =
            isEcho ? nil : try probes.inside(path.to) { try ProbeSocket(isLong: isLong, .udp) }
        flights.append(Flight(path, sender, receiver, to: family.address(of: path.to).bytes))
    }

    /// Who was asked already.
    private func asked(_ path: NetworkPath) -> NetworkPath {
        var path = path
        path.seen = probes.offers.contains { $0 != nil } ? .reached : .unreached
        return path
    }

    /// All ways, with what was seen.
    func run() -> [NetworkPath] {
        let (least, most) = (Stopwatch(seconds: 2), Stopwatch(seconds: 6))
        var round = 0
        while !most.isOver, !(least.isOver && isDone) {
            for flight in flights where !flight.isAnswered {
                if round % 20 == 0 { send(flight) }
                receive(flight)
            }
            round += 1
            usleep(10_000)
        }
        return flights.map(Self.seen) + rest
    }

    private var isDone: Bool {
        flights.allSatisfy { $0.isAnswered || $0.path.expected != .reached }
    }

    private func send(_ flight: Flight) {
        guard let receiver = flight.receiver else {
            let request = Echo.request(
                isLong: flight.isLong, identifier: flight.identifier, flight.token)
            flight.sender.send(request, to: flight.target)
            return
        }
        flight.sender.send(flight.token, to: flight.target, port: receiver.port)
    }

    private func receive(_ flight: Flight) {
        while let packet = flight.receiver?.receive() {
            guard packet.bytes == flight.token else { continue }
            flight.hasArrived = true
            flight.path.source = IPAddress(bytes: packet.source)
            flight.receiver?.send(flight.token.reversed(), to: packet.source, port: packet.port)
        }
        while let packet = flight.sender.receive() {
            let isAnswer =
                flight.receiver == nil
                ? Echo.isAnswer(packet.bytes, isLong: flight.isLong, identifier: flight.identifier)
                : packet.bytes == flight.token.reversed()
            if isAnswer { flight.isAnswered = true }
        }
    }

    private static func seen(_ flight: Flight) -> NetworkPath {
        var path = flight.path
        path.seen = flight.isAnswered ? .reached : flight.hasArrived ? .oneWay : .unreached
        return path
    }
}

extension CheckFamily {
    func address(of end: NetworkEnd) -> IPAddress {
        switch end {
        case .guest: guests[0]
        case .neighbour: guests[1]
        case .host, .dhcp: host
        case .outside: outsider
        }
    }
}

/// What probes have seen.
struct CheckOutcome: Sendable {
    var paths: [NetworkPath]
    var notes: [String]

    /// Puts probes onto the wire, lets them speak, and takes them away. On a thread of its own, which no
    /// other work comes to: it goes from one network namespace into the other.
    /// - Throws: ``HostNetError``.
    static func seen(_ plan: CheckPlan) async throws -> CheckOutcome {
        try await withCheckedThrowingContinuation { continuation in
            Thread {
                continuation.resume(
                    with: Result {
                        let probes = try CheckProbes(plan)
                        defer { probes.remove() }
                        let paths = try CheckFlights(probes).run()
                        return CheckOutcome(paths: paths, notes: probes.notes)
                    })
            }.start()
        }
    }
}
