// SPDX-License-Identifier: Apache-2.0
import Libvirt
import Synchronization
import Testing
import VctlAPI

@testable import VctlCore

/// Who may type on a console.
struct ConsoleHubTests {
    private let vm = ObjectID()
    private let hub = ConsoleHub()

    private func seat(
        _ user: String, vm: ObjectID? = nil, cut: @escaping @Sendable (Problem) -> Void = { _ in }
    )
        -> ConsoleHub.Session
    {
        let writer = ConsoleWriter(uid: 1, user: user, pid: 7, since: .now)
        return .init(id: ObjectID(), vm: vm ?? self.vm, name: "web1", user: writer, cut: cut)
    }

    @Test func theFirstTypesAndTheSecondIsTold() async throws {
        let (alice, bob) = (seat("alice"), seat("bob"))
        try await hub.claim(alice, force: false)
        let refusal = await #expect(throws: Problem.self) { try await hub.claim(bob, force: false) }
        #expect(refusal?.errorCode == .consoleBusy)
        #expect(refusal?.detail.contains("alice (pid 7)") == true)
        #expect(refusal?.hint?.contains("--read-only") == true && refusal?.hint?.contains("--force") == true)
        await hub.watch(bob)
        let status = await hub.status(of: vm)
        #expect(status.writer?.user == "alice" && status.readers == 1)
        try await hub.claim(seat("carol", vm: ObjectID()), force: false)
        await hub.leave(alice)
        try await hub.claim(bob, force: false)
        #expect(await hub.status(of: vm).writer?.user == "bob")
    }

    @Test func whoIsPutOutLearnsWhyAndTakesNothingAlong() async throws {
        let reasons = Reasons()
        let alice = seat("alice") { reasons.note($0) }
        let bob = seat("bob")
        try await hub.claim(alice, force: false)
        try await hub.claim(bob, force: true)
        #expect(reasons.last?.errorCode == .consoleTaken)
        #expect(reasons.last?.detail.contains("bob (pid 7)") == true)
        await hub.leave(alice)
        #expect(await hub.status(of: vm).writer?.user == "bob", "alice's leaving is not bob's")
        let ended = await hub.status(of: vm).ended
        #expect(ended.map(\.session) == [alice.id] && ended.map(\.code) == ["console.taken"])
        await hub.note(alice, Problem(.vmState, "a later reason"))
        #expect(await hub.status(of: vm).ended.count == 1, "the first reason is the reason")
    }

    @Test func ofManyAtOnceOneWins() async throws {
        let wins = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<50 {
                group.addTask { (try? await hub.claim(seat("u\(number)"), force: false)) != nil }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(wins == 1)
    }

    @Test func aLineIsOpenedOnceAndClosedByTheLast() async throws {
        let opened = Counter()
        let closed = Counter()
        let open: @Sendable () async throws -> ConsoleLine = {
            opened.add()
            return ConsoleLine(Wires.silent { closed.add() })
        }
        let hub = hub
        async let first = hub.line(of: vm, open: open)
        async let second = hub.line(of: vm, open: open)
        let (one, two) = try await (first, second)
        #expect(one === two && opened.value == 1)
        await hub.giveBack(one, of: vm)
        await hub.shutdown()
        #expect(closed.value == 0)
        await hub.giveBack(two, of: vm)
        await hub.shutdown()
        #expect(closed.value == 1)
        let third = try await hub.line(of: vm, open: open)
        #expect(third !== one && opened.value == 2)
    }

    @Test func aLineThatCannotBeOpenedOrHasEndedIsTriedAgain() async throws {
        let hub = hub
        await #expect(throws: Problem.self) {
            _ = try await hub.line(of: vm) { throw Problem(.consoleBusy, "virsh") }
        }
        let ended = ConsoleLine(
            ConsoleWire(read: { nil }, write: { _ in }, finish: {}))
        #expect(await eventually { ended.isOver })
        #expect(try await hub.line(of: vm) { ended } === ended)
        let fresh = ConsoleLine(Wires.silent {})
        #expect(try await hub.line(of: vm) { fresh } === fresh)
    }

    @Test func aPtyThatComesOrGoesIsTriedAgain() async throws {
        let hub = ConsoleHub(patience: .seconds(600))
        let (tries, line) = (Counter(), ConsoleLine(Wires.silent {}))
        let opened = try await hub.line(of: vm) {
            tries.add()
            if tries.value < 3 { throw LibvirtError(code: .systemError, message: "Permission denied") }
            return line
        }
        #expect(opened === line && tries.value == 3)
        let gone = await #expect(throws: LibvirtError.self) {
            _ = try await hub.line(of: ObjectID()) {
                tries.add()
                throw LibvirtError(code: tries.value < 6 ? .systemError : .operationInvalid, message: "off")
            }
        }
        #expect(gone?.code == .operationInvalid && tries.value == 6)
    }

    @Test func anotherProgramIsNotWaitedFor() async {
        let tries = Counter()
        let refusal = await #expect(throws: LibvirtError.self) {
            _ = try await hub.line(of: vm) {
                tries.add()
                throw LibvirtError(code: .operationFailed, message: "Active console session exists")
            }
        }
        #expect(refusal?.code == .operationFailed && tries.value == 1)
    }
}

/// Lines whose guest does what the test says.
enum Wires {
    /// The guest says nothing until the line is closed.
    static func silent(_ closed: @escaping @Sendable () -> Void) -> ConsoleWire {
        ConsoleWire(
            read: {
                try await Task.sleep(for: .seconds(600))
                return nil
            }, write: { _ in }, finish: closed)
    }

    /// The guest says what comes out of the stream, and what is typed goes to `typed`.
    static func scripted(
        _ words: AsyncStream<[UInt8]>, typed: @escaping @Sendable ([UInt8]) -> Void = { _ in }
    ) -> ConsoleWire {
        let reader = WordReader(words)
        return ConsoleWire(read: { await reader.next() }, write: { typed($0) }, finish: {})
    }
}

/// Takes a stream's elements one by one, from any task.
actor WordReader {
    private let words: AsyncStream<[UInt8]>

    init(_ words: AsyncStream<[UInt8]>) { self.words = words }

    func next() async -> [UInt8]? {
        for await word in words { return word }
        return nil
    }
}

/// What threads count together.
final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func add(_ more: Int = 1) { count.withLock { $0 += more } }
}

/// The last reason that was given.
final class Reasons: Sendable {
    private let problem = Mutex<Problem?>(nil)
    var last: Problem? { problem.withLock { $0 } }
    func note(_ new: Problem) { problem.withLock { $0 = new } }
}
