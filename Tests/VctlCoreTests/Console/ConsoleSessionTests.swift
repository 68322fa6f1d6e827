// SPDX-License-Identifier: Apache-2.0
import Synchronization
import Testing
import VctlAPI

@testable import VctlCore

/// Lines and the sessions on them.
struct ConsoleSessionTests {
    private let vm = ObjectID()
    private let hub = ConsoleHub()

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func everyReaderGetsTheSameAndTheSlowOneIsTold() async throws {
        let (words, say) = AsyncStream<[UInt8]>.makeStream()
        let line = ConsoleLine(Wires.scripted(words))
        say.yield(Array("first ".utf8))
        #expect(await eventually { line.place(tail: 1) > 0 })
        var (one, two) = (LineOutput(line, tail: 100), LineOutput(line, tail: 2))
        #expect(text(try #require(await one.next())) == "first ")
        #expect(text(try #require(await two.next())) == "t ")
        say.yield(Array("second".utf8))
        #expect(text(try #require(await one.next())) == "second")
        #expect(text(try #require(await two.next())) == "second")
        let piece = [UInt8](repeating: 0x78, count: 1 << 18)
        var total = 0
        for count in 1...8 {
            say.yield(piece)
            while total < count << 18 { total += try #require(await one.next()).count }
        }
        #expect(total == 8 << 18, "one that keeps up misses nothing")
        await #expect(throws: Problem.self) { _ = try await two.next() }
        say.finish()
        #expect(try await one.next() == nil)
    }

    @Test func whatNobodyReadsDoesNotHoldUpTheGuest() async throws {
        let (words, say) = AsyncStream<[UInt8]>.makeStream()
        let line = ConsoleLine(Wires.scripted(words))
        for _ in 0..<1000 { say.yield([UInt8](repeating: 0x78, count: 65_536)) }
        say.finish()
        #expect(await eventually { line.isOver })
        #expect(line.end == 1000 * 65_536)
        #expect(line.end - line.place(tail: .max) < 2 << 20, "and only a bit of it is kept")
    }

    private func session(
        _ line: ConsoleLine, cut: AsyncStream<Void> = AsyncStream { _ in }, user: String = "alice",
        isOn: Bool = true
    ) async throws -> (ConsoleSession, ConsoleHub.Session) {
        let writer = ConsoleWriter(uid: 1, user: user, pid: 7, since: .now)
        let seat = ConsoleHub.Session(id: ObjectID(), vm: vm, name: "web1", user: writer) { _ in }
        try await hub.claim(seat, force: false)
        _ = try await hub.line(of: vm) { line }
        let session = ConsoleSession(
            seat, hub, line: line, types: true, source: .line(tail: 100), cut: cut, isOn: { isOn })
        return (session, seat)
    }

    @Test func whatIsTypedArrivesAndTheSeatIsFreeOnceAllIsSaid() async throws {
        let typed = Typed()
        let (words, say) = AsyncStream<[UInt8]>.makeStream()
        let line = ConsoleLine(Wires.scripted(words) { typed.add($0) })
        let (session, seat) = try await session(line, isOn: false)
        let (keys, press) = AsyncStream<[UInt8]>.makeStream()
        let reader = WordReader(keys)
        let heard = Typed()
        let run = Task {
            await session.run(ConsolePeer(read: { await reader.next() }, write: { heard.add($0) }))
        }
        press.yield(Array("uname\r".utf8))
        #expect(await eventually { typed.text == "uname\r" })
        #expect(await hub.status(of: vm).writer != nil)
        press.finish()
        #expect(await eventually { await hub.status(of: vm).writer == nil }, "another one may type")
        say.yield(Array("Linux".utf8))
        #expect(await eventually { heard.text == "Linux" }, "and this one still listens")
        say.finish()
        await run.value
        let end = try #require(await hub.status(of: vm).ended.first)
        #expect(end.session == seat.id && end.code == "vm.state")
    }

    @Test func aCutAndACancellationEndItAtOnce() async throws {
        for isCut in [true, false] {
            let line = ConsoleLine(Wires.silent {})
            let (cut, knife) = AsyncStream<Void>.makeStream()
            let (session, _) = try await session(line, cut: cut)
            let run = Task {
                await session.run(
                    ConsolePeer(
                        read: {
                            try await Task.sleep(for: .seconds(600))
                            return nil
                        }, write: { _ in }))
            }
            if isCut { knife.finish() } else { run.cancel() }
            await run.value
            #expect(await hub.status(of: vm).writer == nil)
            await line.close()
            await hub.shutdown()
        }
    }

    @Test func aLineThatEndsUnderARunningVMIsNoEndOfTheVM() async throws {
        let line = ConsoleLine(ConsoleWire(read: { nil }, write: { _ in }, finish: {}))
        let (session, _) = try await session(line, isOn: true)
        await session.run(
            ConsolePeer(
                read: {
                    try await Task.sleep(for: .seconds(600))
                    return nil
                }, write: { _ in }))
        #expect(await hub.status(of: vm).ended.map(\.code) == ["console.taken"])
    }
}

/// Bytes that came, in order.
final class Typed: Sendable {
    private let bytes = Mutex<[UInt8]>([])
    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }
    func add(_ more: [UInt8]) { bytes.withLock { $0 += more } }
}
