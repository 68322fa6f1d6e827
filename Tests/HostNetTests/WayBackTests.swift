// SPDX-License-Identifier: Apache-2.0
import Foundation
import HostNet
import Testing

/// Who decides whether a change stays.
@Suite struct WayBackTests {
    private func order(_ seconds: Int, _ body: (WayBack) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.path + "/vctl-way-\(UUID().uuidString).json"
        let way = WayBack(path: path)
        defer { way.forget() }
        #expect(way.state == .none)
        let snapshot = try NetworkSnapshot(of: [], alias: "ours")
        let order = WayBack.Order(snapshot: snapshot, deadline: BootClock.seconds + seconds, owner: "a")
        try JSONEncoder().encode(order).write(to: URL(filePath: path))
        #expect(way.state == .open && !way.isGuarded)
        try body(way)
    }

    @Test func itGoesBackAtItsDeadline() throws {
        try order(1) { way in
            try way.keepWatch()
            #expect(way.state == .undone && !way.confirm())
            // The guard is this process here.
            #expect(way.isGuarded)
            way.forget()
            #expect(way.state == .none && !way.isGuarded)
        }
    }

    @Test func whatIsConfirmedStays() throws {
        try order(3600) { way in
            #expect(way.confirm())
            try way.keepWatch()
            try way.undo()
            #expect(way.state == .confirmed && !way.confirm())
        }
    }

    @Test func whoeverUndoesFirstHasDecided() throws {
        try order(3600) { way in
            try way.undo()
            #expect(way.state == .undone && !way.confirm())
            try way.undo(again: true)
            #expect(way.state == .undone)
        }
    }

    /// Another change has a guard of its own, and its own time.
    @Test func aGuardMindsItsOwnOrderAlone() throws {
        try order(3600) { way in
            let ended = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                try? way.keepWatch()
                ended.signal()
            }
            while !way.isGuarded { usleep(1000) }
            let snapshot = try NetworkSnapshot(of: [], alias: "ours")
            let other = WayBack.Order(snapshot: snapshot, deadline: BootClock.seconds, owner: "b")
            try JSONEncoder().encode(other).write(to: URL(filePath: way.path), options: .atomic)
            ended.wait()
            #expect(way.state == .open)
        }
    }
}
