// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import Synchronization
import VctlAPI

/// A way to a serial line: libvirt's stream.
struct ConsoleWire: Sendable {
    /// The next bytes of the guest; `nil` at the end.
    var read: @Sendable () async throws -> [UInt8]?
    /// Types, and waits until there was room.
    var write: @Sendable ([UInt8]) async throws -> Void
    /// Ends it, once what was typed is on its way.
    var finish: @Sendable () async -> Void

    init(
        read: @escaping @Sendable () async throws -> [UInt8]?,
        write: @escaping @Sendable ([UInt8]) async throws -> Void,
        finish: @escaping @Sendable () async -> Void
    ) {
        self.read = read
        self.write = write
        self.finish = finish
    }

    /// - Parameter stream: one on a connection of its own: libvirtd reads nothing more from a connection
    ///   while what was typed waits for a guest that does not take it.
    init(_ stream: ByteStream) {
        self.init(
            read: { try await stream.read() }, write: { try await stream.write($0) },
            finish: {
                try? await stream.connection.abandoning(after: Self.patience) { try await stream.finish() }
                stream.connection.close()
            })
    }

    /// A guest that takes nothing would make the end wait as long.
    private static let patience = Duration.seconds(2)
}

/// A serial line that is open. libvirt has one end of it, which all sessions share; it is always read, since
/// what nobody takes would hold up the guest.
final class ConsoleLine: Sendable {
    /// What a reader gets at its place.
    enum Piece: Equatable {
        case bytes([UInt8])
        /// Nothing yet.
        case nothing
        /// What should come here has been dropped already.
        case lost
        case end
    }

    private struct State {
        var kept: [UInt8] = []
        /// The place of the first kept byte.
        var start: Int64 = 0
        var end: Int64 { start + Int64(kept.count) }
        var isOver = false
        /// What was typed and is not yet with libvirt; the first part of it may be on its way.
        var typed: [[UInt8]] = []
        var typedBytes = 0
        var signals: [ObjectIdentifier: Signal] = [:]
    }

    /// So much is kept for readers that are behind, in bytes.
    static let capacity = 1 << 20
    /// QEMU looks only once a second whether somebody has opened its terminal, and what is typed and closed
    /// before that is lost: a line stays open for two looks.
    static let settling = Duration.seconds(2)

    private let wire: ConsoleWire
    private let opened = ContinuousClock.now
    private let state = Mutex(State())
    private let work = Signal()
    private let pumps = Mutex<[Task<Void, Never>]>([])
    /// So much is taken from who types, in bytes, before the guest has to take some.
    private static let ahead = 65_536

    init(_ wire: ConsoleWire) {
        self.wire = wire
        let hearing = Task { [weak self] in
            while let bytes = try? await wire.read() { self?.take(bytes) }
            self?.hangUp()
        }
        let typing = Task { [weak self, work] in
            while let self, !self.isOver {
                await self.passOn()
                await work.wait(atMost: .seconds(60))
            }
        }
        pumps.withLock { $0 = [hearing, typing] }
    }

    /// Passes on all that was typed.
    private func passOn() async {
        while let bytes = state.withLock({ $0.typed.first }) {
            do {
                try await wire.write(bytes)
            } catch {
                return hangUp()
            }
            state.withLock { state in
                state.typed.removeFirst()
                state.typedBytes -= bytes.count
            }
        }
    }

    var isOver: Bool { state.withLock { $0.isOver } }
    /// Where the next byte will be; 0 while nothing was heard.
    var end: Int64 { state.withLock { $0.end } }

    /// The line is no more.
    struct Over: Error {}

    /// Takes what was typed, waiting only where the guest is far behind. What was taken will arrive, even if
    /// who typed it leaves at once.
    /// - Throws: ``Over``, `CancellationError`.
    func type(_ bytes: [UInt8]) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = try state.withLock { state in
                guard !state.isOver else { throw Over() }
                let count = min(Self.ahead - state.typedBytes, rest.count)
                if count > 0 { state.typed.append(Array(rest.prefix(count))) }
                state.typedBytes += count
                return count
            }
            rest = rest.dropFirst(count)
            if count > 0 { work.send() }
            if !rest.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        }
    }

    /// Whether all that was typed is with libvirt.
    private var hasPassedOn: Bool { state.withLock { $0.typed.isEmpty || $0.isOver } }

    /// Waits until all that was typed is with libvirt, or the line is no more.
    /// - Throws: ``Over``.
    func drain() async throws {
        while !hasPassedOn { try await Task.sleep(for: .milliseconds(10)) }
        if isOver { throw Over() }
    }

    /// The place of the last `tail` bytes, as far as they are kept.
    func place(tail: Int64) -> Int64 { state.withLock { max($0.start, $0.end - tail) } }

    /// What is at a place.
    func piece(at place: Int64) -> Piece {
        state.withLock { state in
            if place < state.start { return .lost }
            guard place < state.end else { return state.isOver ? .end : .nothing }
            return .bytes(Array(state.kept[Int(place - state.start)...].prefix(65_536)))
        }
    }

    /// Whether the last that was heard, as far as it is kept, is the end of a text.
    func ends(like text: [UInt8]) -> Bool {
        state.withLock { state in
            let count = min(64, text.count, state.kept.count)
            return count > 0 && state.kept.suffix(count) == text.suffix(count)
        }
    }

    /// The place behind the only occurrence of a text in the last 256 KiB; `nil` where there is none, or
    /// several.
    func place(behind text: [UInt8]) -> Int64? {
        let (recent, end) = state.withLock { (Data($0.kept.suffix(1 << 18)), $0.end) }
        guard let found = recent.range(of: Data(text)),
            recent.range(of: Data(text), in: (found.lowerBound + 1)..<recent.endIndex) == nil
        else { return nil }
        return end - Int64(recent.endIndex - found.upperBound)
    }

    /// Sends the signal whenever there is more, until ``forget(_:)``.
    func tell(_ signal: Signal) { state.withLock { $0.signals[ObjectIdentifier(signal)] = signal } }
    func forget(_ signal: Signal) { state.withLock { $0.signals[ObjectIdentifier(signal)] = nil } }

    /// Waits until QEMU has seen what was typed; not for a guest that takes nothing.
    func settle() async {
        let limit = ContinuousClock.now + .seconds(5)
        while !hasPassedOn, ContinuousClock.now < limit { try? await Task.sleep(for: .milliseconds(10)) }
        // A guest is heard only by a QEMU that has seen the terminal being opened.
        let seen = state.withLock { $0.end > 0 || $0.isOver }
        let left = seen ? .milliseconds(100) : opened + Self.settling - .now
        if left > .zero { try? await Task.sleep(for: left) }
    }

    func close() async {
        for task in pumps.withLock({ $0 }) { task.cancel() }
        hangUp()
        await wire.finish()
    }

    private func take(_ bytes: [UInt8]) {
        let signals = state.withLock { state in
            state.kept += bytes
            // Not with every piece: it moves all that stays.
            let surplus = state.kept.count - Self.capacity
            if surplus > Self.capacity / 2 {
                state.kept.removeFirst(surplus)
                state.start += Int64(surplus)
            }
            return Array(state.signals.values)
        }
        for signal in signals { signal.send() }
    }

    private func hangUp() {
        let signals = state.withLock { state in
            state.isOver = true
            return Array(state.signals.values)
        }
        work.send()
        for signal in signals { signal.send() }
    }
}
