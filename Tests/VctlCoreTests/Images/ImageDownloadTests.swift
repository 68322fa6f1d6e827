// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Testing
import VctlAPI

@testable import VctlCore

@Suite struct ImageDownloadTests {
    let scratch = Scratch()

    /// Whatever the server does, the result is the whole of one content, never a mixture.
    @Test(arguments: [
        ("plain", false), ("breaks", false), ("untagged", false), ("busy", false), ("to-plain", false),
        ("changes", true), ("careless", true),
    ])
    func contentIsWhole(_ fault: String, _ changed: Bool) async throws {
        let content = Fixture.read(try Fixture.raw(scratch))
        let other = Fixture.read(try Fixture.raw(scratch, seed: 2))
        let server = try TestServer(scratch, content: content, other: other)
        let house = try ImageHarness(scratch("state"))
        let operation = try await house.download("one", server.url(fault))
        #expect(operation.status == .succeeded, "\(String(describing: operation.error))")
        #expect(try await house.bytes(of: "one") == (changed ? other : content))
        #expect(house.files.count == 2)
    }

    @Test(arguments: ["missing", "to-file", "silent"])
    func failuresLeaveNothing(_ fault: String) async throws {
        let server = try TestServer(scratch, content: [1])
        var limits = ImageLimits.quick
        limits.silentSeconds = 1
        limits.attempts = 1
        let house = try ImageHarness(scratch("state"), limits: limits)
        let operation = try await house.download("one", server.url(fault))
        #expect(operation.status == .failed && operation.error?.errorCode == .imageDownload)
        #expect(house.files.isEmpty)
        #expect(try await house.images.list(ListQuery()).json == "[]")
    }

    @Test func tooLongIsRefused() async throws {
        let server = try TestServer(scratch, content: Fixture.read(try Fixture.raw(scratch)))
        var limits = ImageLimits.quick
        limits.contentBytes = 1 << 20
        let house = try ImageHarness(scratch("state"), limits: limits)
        let operation = try await house.download("one", server.url("plain"))
        #expect(operation.error?.errorCode == .requestTooLarge)
        #expect(house.files.isEmpty)
    }

    @Test func aCancelledDownloadLeavesNothing() async throws {
        let server = try TestServer(scratch, content: [1])
        var limits = ImageLimits.quick
        limits.silentSeconds = 600
        let house = try ImageHarness(scratch("state"), limits: limits)
        var request = ImageCreate(name: try Name("one"))
        request.url = server.url("silent")
        guard case .operation(let operation) = try await house.images.create(request, ImageHarness.context())
        else {
            throw ImageHarness.NotAnOperation()
        }
        while try await house.operations.get(.id(operation.id)).steps.isEmpty { await Task.yield() }
        _ = try await house.operations.cancel(.id(operation.id))
        await house.engine.idle()
        #expect(try await house.operations.get(.id(operation.id)).status == .cancelled)
        #expect(house.files.isEmpty)
    }

    /// The password and the query are in no row, event, audit line or reply; the secret file is gone
    /// afterwards.
    @Test func credentialsAreSeenNowhere() async throws {
        let server = try TestServer(scratch, content: Fixture.read(try Fixture.raw(scratch)))
        let house = try ImageHarness(scratch("state"))
        let url = "http://me:hunter2@127.0.0.1:\(server.port)/plain?token=s3cr3t"
        let operation = try await house.download("one", url)
        #expect(operation.status == .succeeded)
        let image = try await house.images.get(.name("one"))
        #expect(image.source == "http://127.0.0.1:\(server.port)/plain")
        try await house.inventory.pool.vacuum(into: scratch("dump"))
        let text = String(decoding: Fixture.read(scratch("dump")), as: UTF8.self)
        #expect(!text.contains("hunter2") && !text.contains("s3cr3t"))
    }

    @Test(arguments: ["ftp://host/file", "file:///etc/passwd", "http://", "http://host/a b", "nonsense", ""])
    func otherURLsAreRefused(_ url: String) async throws {
        let house = try ImageHarness(scratch("state"))
        await #expect {
            _ = try await house.download("one", url)
        } throws: { ($0 as? Problem)?.errors?.first?.field == "url" }
    }
}
