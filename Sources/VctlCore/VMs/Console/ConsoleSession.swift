// SPDX-License-Identifier: Apache-2.0
import Synchronization
import VctlAPI

/// The client's side of a console.
public struct ConsolePeer: Sendable {
    let read: @Sendable () async throws -> [UInt8]?
    let write: @Sendable ([UInt8]) async throws -> Void

    /// - Parameters:
    ///   - read: what the client typed; `nil` once it has said all.
    ///   - write: sends to the client, and waits until it took it.
    public init(
        read: @escaping @Sendable () async throws -> [UInt8]?,
        write: @escaping @Sendable ([UInt8]) async throws -> Void
    ) {
        self.read = read
        self.write = write
    }
}

/// One end of a console, from the moment it is granted. ``run(_:)`` has to be called: it is what gives all
/// back.
public final class ConsoleSession: Sendable {
    /// Where its output comes from.
    enum Source: Sendable {
        /// For one that only watches: a terminal that nobody listens to is not opened for that.
        case log(ConsoleLog)
        case line(tail: Int64)
        case seam(ConsoleLog)
    }

    /// How a part of the session ended.
    private enum End { case input, output(Problem), cut }

    /// As ``ConsoleStatus/ended`` names it.
    public var id: ObjectID { seat.id }

    private let seat: ConsoleHub.Session
    private let hub: ConsoleHub
    private let line: ConsoleLine?
    private let types: Bool
    private let source: Source
    private let cut: AsyncStream<Void>
    /// Whether the VM runs.
    private let isOn: @Sendable () async -> Bool

    init(
        _ seat: ConsoleHub.Session, _ hub: ConsoleHub, line: ConsoleLine?, types: Bool, source: Source,
        cut: AsyncStream<Void>, isOn: @escaping @Sendable () async -> Bool
    ) {
        self.seat = seat
        self.hub = hub
        self.line = line
        self.types = types
        self.source = source
        self.cut = cut
        self.isOn = isOn
    }

    /// Joins the client to the console until one of them ends, somebody takes it over, or the task is
    /// cancelled.
    public func run(_ peer: ConsolePeer) async {
        await withTaskGroup(of: End.self) { group in
            group.addTask { .output(await self.output(to: peer)) }
            group.addTask { await self.input(from: peer) }
            group.addTask {
                for await _ in self.cut {}
                return .cut
            }
            for await end in group {
                // Who has said all goes on to listen, and another one may type.
                if case .input = end, !Task.isCancelled {
                    await hub.release(seat)
                    continue
                }
                if case .output(let problem) = end, !Task.isCancelled { await hub.note(seat, problem) }
                break
            }
            group.cancelAll()
        }
        await close()
    }

    /// Gives back what it has; for one that cannot be run.
    public func close() async {
        await hub.leave(seat)
        if let line { await hub.giveBack(line, of: seat.vm) }
    }

    /// - Returns: why there is no more.
    private func output(to peer: ConsolePeer) async -> Problem {
        do {
            switch source {
            case .log(let log): for try await bytes in log { try await peer.write(bytes) }
            case .seam(let log):
                guard let line else { break }
                var output = SeamedOutput(log, line)
                defer { output.leave() }
                while let bytes = try await output.next() { try await peer.write(bytes) }
            case .line(let tail):
                guard let line else { break }
                var output = LineOutput(line, tail: tail)
                defer { output.leave() }
                while let bytes = try await output.next() { try await peer.write(bytes) }
            }
            return await closed()
        } catch let problem as Problem {
            return problem
        } catch {
            return Problem(
                .consoleOverrun, "this client took nothing for too long", hint: "http.stall_seconds")
        }
    }

    /// Why the line is no more. The news that a VM is off may come after the end of its line.
    private func closed() async -> Problem {
        let name = shown(seat.name)
        for _ in 0..<20 {
            guard await isOn() else {
                return Problem(.vmState, "VM \(name) is off", hint: "vctl vm start \(name)")
            }
            guard (try? await Task.sleep(for: .milliseconds(100))) != nil else { break }
        }
        return Problem(
            .consoleTaken,
            "libvirt closed the console of VM \(name): another program took it, or libvirtd restarted",
            hint: "vctl console \(name)")
    }

    private func input(from peer: ConsolePeer) async -> End {
        do {
            while let bytes = try await peer.read() {
                if types, let line { try await line.type(bytes) }
            }
        } catch is ConsoleLine.Over {
            return .output(await closed())
        } catch {
            // The client has left; the output finds that out, too.
        }
        return .input
    }
}
