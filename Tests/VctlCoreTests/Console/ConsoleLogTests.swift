// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import Testing
import VctlAPI

@testable import VctlCore

/// The kept log, through virtlogd's rotations and through the freeing of its beginning.
struct ConsoleLogTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func log(tail: Int64? = nil, goesOn: (@Sendable () async -> Bool)? = nil) -> ConsoleLog {
        ConsoleLog(kept: KeptLog(path: folder("c.log")), tail: tail, goesOn: goesOn)
    }

    private func all(_ log: ConsoleLog) async throws -> String {
        var bytes: [UInt8] = []
        for try await part in log { bytes += part }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func append(_ text: String) throws {
        let file = try #require(FileHandle(forWritingAtPath: folder("c.log")))
        defer { try? file.close() }
        try file.seekToEnd()
        try file.write(contentsOf: Data(text.utf8))
    }

    /// As virtlogd does it: every file goes one number up.
    private func rotate(keeping most: Int = 9) throws {
        let names = ["c.log"] + (0..<most).map { "c.log.\($0)" }
        try? FileManager.default.removeItem(atPath: folder(names[most]))
        for index in stride(from: most - 1, through: 0, by: -1) {
            _ = rename(folder(names[index]), folder(names[index + 1]))
        }
        try folder.write("", to: "c.log")
    }

    @Test(
        arguments: [
            (nil, "abcdefghi"), (9, "abcdefghi"), (100, "abcdefghi"), (6, "defghi"), (5, "efghi"), (3, "ghi"),
            (1, "i"), (0, ""),
        ] as [(Int64?, String)])
    func rotatedPartsAreOneText(tail: Int64?, text: String) async throws {
        try folder.write("abc", to: "c.log")
        try rotate()
        try append("def")
        try rotate()
        try append("ghi")
        #expect(try await all(log(tail: tail)) == text)
    }

    @Test func followingGoesOnThroughRotations() async throws {
        try folder.write("0\n", to: "c.log")
        let runs = Switch()
        let reader = Task { try await all(log { runs.isOn }) }
        var expected = "0\n"
        for number in 1...40 {
            try append("line \(number)\n")
            expected += "line \(number)\n"
            if number % 10 == 0 { try rotate() }
            try await Task.sleep(for: .milliseconds(3))
        }
        try append("last")
        runs.turnOff()
        #expect(try await reader.value == expected + "last")
    }

    @Test func aReaderThatWaitsLeavesNothingBehind() async throws {
        try folder.write("a", to: "c.log")
        let (watch, looks) = (FileWatch(), Looks())
        let log = ConsoleLog(
            kept: KeptLog(path: folder("c.log")), tail: nil,
            goesOn: {
                looks.add()
                return true
            }, watch: watch)
        let reader = Task { for try await _ in log {} }
        while looks.count < 4 { try await Task.sleep(for: .milliseconds(20)) }
        #expect(watch.count <= 1)
        reader.cancel()
        _ = await reader.result
        #expect(watch.count == 0)
    }

    @Test func aFileTellsEachOfItsReadersOnce() async throws {
        try folder.write("a", to: "c.log")
        let file = try #require(LogFile(folder("c.log")))
        let (watch, stays, leaves) = (FileWatch(), Signal(), Signal())
        let armed = try #require(watch.arm(file, stays))
        #expect(watch.arm(file, stays) == armed && watch.arm(file, leaves) == armed)
        #expect(watch.count == 2)
        watch.disarm(armed, leaves)
        watch.disarm(armed, leaves)
        #expect(watch.count == 1)
        let told = Task { await stays.wait(atMost: .seconds(60)) }
        try append("b")
        await told.value
        #expect(watch.count == 0)
        let again = try #require(watch.arm(file, leaves))
        watch.disarm(again, leaves)
        #expect(watch.count == 0)
    }

    @Test func whatIsWrittenJustBeforeTheEndIsNotLost() async throws {
        try folder.write("a", to: "c.log")
        let reader = Task { try await all(log { false }) }
        try await Task.sleep(for: .milliseconds(60))
        try append("late")
        #expect(try await reader.value == "alate")
    }

    @Test func aReaderThatMissedARotationIsTold() async throws {
        try folder.write("old", to: "c.log")
        var reader = log { true }.makeAsyncIterator()
        #expect(try await reader.next() == Array("old".utf8))
        for number in 0..<4 {
            try rotate(keeping: 2)
            try append("\(number)")
        }
        await #expect(throws: Problem.self) { _ = try await reader.next() }
    }

    @Test func theBeginningIsFreedAndTheRestStays() async throws {
        let block = String(repeating: "x", count: 65_535) + "\n"
        try folder.write(String(repeating: block, count: 15) + "END\n", to: "c.log")
        let path = folder("c.log")
        #expect(LogFile.trim(path, to: 1 << 20))
        #expect(try await all(log()).utf8.count == 15 * 65_536 + 4, "nothing is freed below the bound")
        var reader = log { true }.makeAsyncIterator()
        _ = try await reader.next()
        try #require(LogFile.trim(path, to: 200_000), "this file system frees no parts of files")
        let text = try await all(log())
        #expect(text.utf8.count >= 200_000 && text.utf8.count < 200_000 + 2 * 65_536)
        #expect(text.hasSuffix("END\n") && !text.utf8.contains(0))
        #expect(try await all(log(tail: 4)) == "END\n")
        await #expect(throws: Problem.self) { _ = try await reader.next() }
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_blocks * 512 < 400_000)
    }
}

/// A switch that is on until it is turned off.
final class Switch: Sendable {
    private let state = Mutex(true)
    var isOn: Bool { state.withLock { $0 } }
    func turnOff() { state.withLock { $0 = false } }
}

/// Counts how often somebody looked.
private final class Looks: Sendable {
    private let state = Mutex(0)
    var count: Int { state.withLock { $0 } }
    func add() { state.withLock { $0 += 1 } }
}
