// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Synchronization
import Testing
import VctlAPI

@testable import VctlCore

/// Work on images that must end the same, wherever the daemon dies in it.
struct ImageScenario: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// What is there before the daemon that dies is started.
    var prepare: @Sendable (ImageHarness) async throws -> Void = { _ in }
    /// Whether it ends with an image, when nothing comes between.
    var imports = false
    /// Has the operation accepted, and returns without waiting for it.
    let begin: @Sendable (ImageHarness) async throws -> Void

    /// Success and failure of both kinds of operation.
    static func all(image: [UInt8], url: String) -> [ImageScenario] {
        [
            ImageScenario(testDescription: "upload", imports: true) { try await send($0, image) { _ in } },
            ImageScenario(testDescription: "upload, converted", imports: true) {
                try await send($0, image) { $0.format = .raw }
            },
            ImageScenario(testDescription: "upload, wrong checksum") { house in
                try await send(house, image) {
                    $0.checksum = Checksum(sha256: String(repeating: "0", count: 64))
                }
            },
            ImageScenario(testDescription: "download", imports: true) { house in
                var request = ImageCreate(name: try Name("one"))
                request.url = url
                _ = try await house.images.create(request, ImageHarness.context())
            },
            ImageScenario(
                testDescription: "delete",
                prepare: { house in
                    try await send(house, image) { _ in }
                    await house.engine.idle()
                },
                begin: { harness in
                    _ = try await harness.images.delete(.name("one"), ImageHarness.context("image.delete"))
                }),
        ]
    }

    private static func send(
        _ house: ImageHarness, _ image: [UInt8], _ change: (inout ImageCreate) -> Void
    ) async throws {
        var request = ImageCreate(name: try Name("one"))
        change(&request)
        _ = try await house.images.create(request, ImageHarness.context())
        let context = ImageHarness.context("image.content")
        _ = try await house.images.content(.name("one"), range: nil, body: Pieces(image), context)
    }

    /// Runs it in `directory` with a death at the `point`-th place, goes on with a new daemon, and tells what
    /// is there in the end. The second value is whether the point was reached.
    func outcome(
        _ directory: String, dyingAt point: Int?, thenCancelled: Bool = false
    ) async throws -> (ImageOutcome, died: Bool) {
        let first = try ImageHarness(directory)
        try await prepare(first)
        try first.inventory.close()
        let passed = Mutex(0)
        let mortal = try ImageHarness(directory) { _ in
            passed.withLock { count in
                defer { count += 1 }
                return count == point
            }
        }
        try await begin(mortal)
        await mortal.engine.idle()
        try mortal.inventory.close()
        let house = try ImageHarness(directory)
        if thenCancelled {
            for id in try await house.inventory.read({ try OperationRecord.unfinished($0) }) {
                _ = try await house.operations.cancel(.id(id))
            }
        }
        try await house.engine.resume()
        await house.engine.idle()
        let outcome = try await ImageOutcome(house)
        try house.inventory.close()
        return (outcome, point.map { $0 < passed.withLock { $0 } } ?? false)
    }
}

/// What can be compared between two runs: without the ids and times that differ.
struct ImageOutcome: Equatable {
    var files: [String]
    var rows: [String]
    var events: [String]
    var statuses: [String]
    var claims: Int

    init(_ house: ImageHarness) async throws {
        let images = try await house.inventory.read { try ImageStore.page($0, ListQuery()).rows }
        let ids = try await house.inventory.read { db in
            try EventStore.page(db, after: 0, limit: 1000).compactMap { $0.subject?.id.rawValue }
        }
        func plain(_ text: String) -> String { ids.reduce(text) { $0.replacing($1, with: "ID") } }
        files = house.files.map(plain)
        rows = try images.map { row in
            var image = row.value
            image.createdAt = Timestamp(milliseconds: 0)
            return plain(try JSON.text(image))
                + plain(row.path ?? "").replacing(house.state.path, with: "STATE")
        }
        events = try await house.events()
        (statuses, claims) = try await house.inventory.read { db in
            (
                try String.fetchAll(db, sql: "SELECT kind || ' ' || status FROM operation ORDER BY number"),
                try Int.fetchOne(db, sql: "SELECT count(*) FROM claim") ?? -1
            )
        }
    }
}

@Suite struct ImageCrashTests {
    let scratch = Scratch()

    @Test func everyDeathEndsLikeNone() async throws {
        let image = try await Fixture.converted(scratch, to: .qcow2)
        let server = try TestServer(scratch, content: image)
        for scenario in ImageScenario.all(image: image, url: server.url("plain")) {
            let (expected, _) = try await scenario.outcome(scratch("whole-\(ObjectID().short)"), dyingAt: nil)
            #expect(expected.claims == 0)
            var point = 0
            while true {
                let directory = scratch("dead-\(ObjectID().short)")
                let (found, died) = try await scenario.outcome(directory, dyingAt: point)
                guard died else { break }
                #expect(found == expected, "\(scenario.testDescription), point \(point)")
                try FileManager.default.removeItem(atPath: directory)
                point += 1
            }
            // Three points for each step, and the end.
            #expect(point >= 7, "\(scenario.testDescription)")
        }
    }

    /// Whatever a dead daemon left half-way, a cancel takes away all of it, or comes too late for any of it.
    @Test func aCancelAfterADeathLeavesAllOrNothing() async throws {
        let image = try await Fixture.converted(scratch, to: .qcow2)
        let server = try TestServer(scratch, content: image)
        for scenario in ImageScenario.all(image: image, url: server.url("plain")).filter(\.imports) {
            var point = 0
            while true {
                let directory = scratch("dead-\(ObjectID().short)")
                let (found, died) = try await scenario.outcome(directory, dyingAt: point, thenCancelled: true)
                guard died else { break }
                let nothing =
                    found.files.isEmpty && found.rows.isEmpty && found.statuses == ["image.import cancelled"]
                let whole = found.files.count == 2 && found.statuses == ["image.import succeeded"]
                #expect(nothing || whole, "\(scenario.testDescription), point \(point): \(found)")
                try FileManager.default.removeItem(atPath: directory)
                point += 1
            }
            #expect(point >= 7)
        }
    }
}
