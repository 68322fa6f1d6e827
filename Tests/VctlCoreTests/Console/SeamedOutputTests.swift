// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import Testing
import VctlAPI

@testable import VctlCore

/// From the log to the line without loss or double.
struct SeamedOutputTests {
    private let folder: TemporaryFolder
    private let line: ConsoleLine
    private let say: AsyncStream<[UInt8]>.Continuation
    private let seam = Seam()

    /// Whether the line goes on alone.
    private final class Seam: Sendable {
        private let found = Mutex(false)
        var isFound: Bool { found.withLock { $0 } }
        func find() { found.withLock { $0 = true } }
    }

    init() throws {
        folder = try TemporaryFolder()
        let (words, say) = AsyncStream<[UInt8]>.makeStream()
        line = ConsoleLine(Wires.scripted(words))
        self.say = say
    }

    private func log(_ text: String) throws {
        let file = try #require(FileHandle(forWritingAtPath: folder("c.log")))
        defer { try? file.close() }
        try file.seekToEnd()
        try file.write(contentsOf: Data(text.utf8))
    }

    private func seamIsFound() async throws {
        while !seam.isFound { try await Task.sleep(for: .milliseconds(10)) }
    }

    private func hear(_ text: String) { say.yield(Array(text.utf8)) }

    private func reader(tail: Int64 = 1000) -> Task<String, any Error> {
        let kept = ConsoleLog(
            kept: KeptLog(path: folder("c.log")), tail: tail, goesOn: { [line] in !line.isOver })
        return Task { [line, seam] in
            var output = SeamedOutput(kept, line) { seam.find() }
            defer { output.leave() }
            var bytes: [UInt8] = []
            while let more = try await output.next() { bytes += more }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    @Test func afterAPauseTheLineGoesOnAlone() async throws {
        try folder.write("boot\nlogin: ", to: "c.log")
        let reader = reader()
        // What comes before QEMU listens is in the log alone.
        try log("unheard ")
        hear("root\r\n")
        try log("root\r\n")
        try await seamIsFound()
        try log("exxaacct")
        hear("exact")
        hear(" end")
        say.finish()
        #expect(try await reader.value == "boot\nlogin: unheard root\r\nexact end")
    }

    @Test(arguments: [true, false])
    func aGuestThatNeverPausesIsSeamedToo(theLineIsFirst: Bool) async throws {
        try folder.write("", to: "c.log")
        let reader = reader()
        var expected = ""
        var late = ""
        var number = 0
        var more = 100
        while more > 0 {
            number += 1
            if seam.isFound { more -= 1 }
            let text = "line \(number) \(UUID())\n"
            expected += text
            // What the log doubles then is not seen.
            let logged = seam.isFound ? "l" + text : text
            let heard = number > 3 ? text : ""
            if theLineIsFirst {
                hear(heard)
                try log(late)
                late = logged
            } else {
                try log(logged)
                hear(late)
                late = heard
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        if theLineIsFirst { try log(late) } else { hear(late) }
        say.finish()
        #expect(try await reader.value == expected)
    }

    @Test func withoutALineTheLogIsReadToItsEnd() async throws {
        try folder.write("said", to: "c.log")
        let reader = reader()
        try log(" at the end")
        say.finish()
        #expect(try await reader.value == "said at the end")
    }

    @Test func aLogThatIsNotThisLinesHidesNothing() async throws {
        try folder.write("old", to: "c.log")
        let reader = reader()
        try await Task.sleep(for: .milliseconds(200))
        hear("new")
        try await seamIsFound()
        say.finish()
        #expect(try await reader.value == "oldnew")
    }
}
