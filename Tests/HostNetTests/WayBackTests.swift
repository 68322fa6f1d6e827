// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
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

    /// A guard that was killed is there until its parent has asked for it, and keeps no watch.
    @Test func aGuardThatIsAZombieDoesNotWatch() throws {
        try order(3600) { way in
            let pipe = Pipe()
            let child = Process()
            child.executableURL = URL(filePath: "/bin/sh")
            child.arguments = ["-c", "sleep 1000 & echo $!; exec sleep 1000"]
            child.standardOutput = pipe
            try child.run()
            // It heeds nothing less, and would keep this test's output open.
            defer { kill(child.processIdentifier, SIGKILL) }
            let line = String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
            let pid = try #require(Int32(line.prefix { $0 != "\n" }))
            let note = try JSONEncoder().encode(ProcessIdentity(running: pid))
            try note.write(to: URL(filePath: way.path + ".guard"))
            #expect(way.isGuarded)
            // Its parent is asleep, and asks for nobody.
            kill(pid, SIGKILL)
            func state() throws -> String {
                let text = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
                return String(text[text.lastIndex(of: ")")!...].dropFirst(2).prefix(1))
            }
            while try state() != "Z" { usleep(1000) }
            #expect(!way.isGuarded)
        }
    }

    /// Whoever comes second waits until the first one has ended.
    @Test func twoDoNotUndoAtOnce() throws {
        try order(3600) { way in
            let (open, undoing) = (way.path, way.path + ".undoing")
            #expect(rename(open, undoing) == 0)
            let file = Glibc.open(undoing, O_RDONLY)
            defer { close(file) }
            #expect(flock(file, LOCK_EX) == 0)
            let ended = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                try? way.undo()
                ended.signal()
            }
            var facts = stat()
            fstat(file, &facts)
            // The kernel lists those who wait behind an arrow.
            let waits = ":\(facts.st_ino) "
            func isWaiting() throws -> Bool {
                // Others' locks fill more than what the kernel says at once.
                let file = try FileHandle(forReadingFrom: URL(filePath: "/proc/locks"))
                let text = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
                return text.split(separator: "\n").contains {
                    $0.contains("->") && $0.contains("FLOCK") && $0.contains(waits)
                }
            }
            while try !isWaiting() { usleep(1000) }
            #expect(way.state == .undoing)
            flock(file, LOCK_UN)
            ended.wait()
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
