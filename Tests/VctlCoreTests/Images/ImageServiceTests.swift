// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Testing
import VctlAPI

@testable import VctlCore

@Suite struct ImageServiceTests {
    let scratch = Scratch()

    private func code(_ body: () async throws -> Void) async -> ErrorCode? {
        do {
            try await body()
            return nil
        } catch {
            return Problem(describing: error).errorCode
        }
    }

    private func announced(_ reply: Accepted) throws -> Image {
        guard case .announced(let image) = reply else { throw ImageHarness.NotAnOperation() }
        return image
    }

    @Test func contentComesInPiecesAndGoesOn() async throws {
        let house = try ImageHarness(scratch("state"))
        let bytes = try await Fixture.converted(scratch, to: .qcow2)
        let size = Int64(bytes.count)
        var request = ImageCreate(name: try Name("one"))
        request.sizeBytes = try ByteCount(bytes: size)
        _ = try await house.images.create(request, ImageHarness.context())
        let context = ImageHarness.context("image.content")
        let first = ContentRange(first: 0, last: 499_999, total: size)
        let reply = try await house.images.content(
            .name("one"), range: first, body: Pieces(Array(bytes[..<500_000])), context)
        #expect(try announced(reply).receivedBytes == 500_000)
        let gap = ContentRange(first: 600_000, last: 699_999, total: size)
        await #expect {
            _ = try await house.images.content(.name("one"), range: gap, body: Pieces([]), context)
        } throws: { error in
            let problem = error as? Problem
            return problem?.errorCode == .requestRange && problem?.detail.contains("500000") == true
        }
        // A connection that breaks off keeps what came.
        let rest = ContentRange(first: 500_000, last: size - 1, total: size)
        await #expect(throws: Pieces.Broken.self) {
            _ = try await house.images.content(
                .name("one"), range: rest, body: Pieces(Array(bytes[500_000...]), breaksAfter: 250_000),
                context)
        }
        #expect(try await house.images.get(.name("one")).receivedBytes == 750_000)
        let last = ContentRange(first: 750_000, last: size - 1, total: size)
        let end = try await house.images.content(
            .name("one"), range: last, body: Pieces(Array(bytes[750_000...])), context)
        #expect(try await house.ended(end).status == .succeeded)
        #expect(try await house.bytes(of: "one") == bytes)
        #expect(
            await code {
                _ = try await house.images.content(.name("one"), range: nil, body: Pieces(bytes), context)
            } == .imageState)
    }

    @Test func moreThanAnnouncedIsTakenBack() async throws {
        let house = try ImageHarness(scratch("state"))
        var request = ImageCreate(name: try Name("one"))
        request.sizeBytes = try ByteCount(bytes: 1000)
        let image = try announced(try await house.images.create(request, ImageHarness.context()))
        let context = ImageHarness.context("image.content")
        #expect(
            await code {
                let body = Pieces([UInt8](repeating: 1, count: 200_000))
                _ = try await house.images.content(.name("one"), range: nil, body: body, context)
            } == .requestRange)
        #expect(try await house.images.get(.name("one")).receivedBytes == 0)
        #expect(FileStamp(path: house.state.incoming(image.id))?.size == 0)
        _ = try await house.ended(try await house.images.delete(.name("one"), context))
        #expect(house.files.isEmpty)
    }

    @Test func headersOfRangesAreReadStrictly() throws {
        #expect(try ContentRange(header: "bytes 0-99/200") == ContentRange(first: 0, last: 99, total: 200))
        #expect(try ContentRange(header: "bytes 5-5/*") == ContentRange(first: 5, last: 5))
        for text in [
            "", "bytes", "bytes 9-1/20", "bytes 0-20/20", "bytes -1-2/9", "items 0-1/2", "bytes 0-1/2/3",
            "bytes 0-99999999999999999999/*",
        ] {
            #expect(throws: Problem.self) { try ContentRange(header: text) }
        }
    }

    @Test func sameKeySameImageAndNoSecondName() async throws {
        let house = try ImageHarness(scratch("state"))
        var context = ImageHarness.context()
        context.idempotency = Idempotency(key: "k", content: [1])
        let request = ImageCreate(name: try Name("one"))
        let first = try announced(try await house.images.create(request, context))
        #expect(try announced(try await house.images.create(request, context)).id == first.id)
        context.idempotency = Idempotency(key: "k", content: [2])
        #expect(await code { _ = try await house.images.create(request, context) } == .idempotencyMismatch)
        #expect(
            await code { _ = try await house.images.create(request, ImageHarness.context()) } == .imageExists)
        #expect(try await house.events() == ["image.created"])
    }

    @Test func changesAreRevisionsAndEvents() async throws {
        let house = try ImageHarness(scratch("state"))
        let bytes = try await Fixture.converted(scratch, to: .qcow2)
        try await house.upload("one", bytes)
        try await house.upload("two", bytes)
        let tag = try await house.images.show(.name("one")).etag
        var patch = ImagePatch()
        patch.name = try Name("first")
        patch.labels = ["os": "debian"]
        var context = ImageHarness.context("image.set")
        let preview = try await house.images.preview(.name("one"), patch, context)
        #expect(preview.changes == ["set labels to os=debian", "set name to first"])
        context.ifMatch = tag
        _ = try await house.images.set(.name("one"), patch, context)
        #expect(
            await code { _ = try await house.images.set(.name("first"), patch, context) } == .revisionStale)
        #expect(await code { _ = try await house.images.get(.name("one")) } == .imageNotFound)
        patch.name = try Name("two")
        #expect(
            await code {
                _ = try await house.images.set(.name("first"), patch, ImageHarness.context("image.set"))
            } == .imageExists)
        var query = ListQuery()
        query.labels = ["os": "debian"]
        query.fields = ["name"]
        #expect(try await house.images.list(query).json == #"[{"name":"first"}]"#)
        let kept = house.state.kept(.image, KeptImage.self).values.map(\.document.name.rawValue).sorted()
        #expect(kept == ["first", "two"])
        #expect(try await house.events().last == "image.changed")
    }

    @Test func deleteIsRefusedForUsersAndProtected() async throws {
        let house = try ImageHarness(scratch("state"))
        try await house.upload("one", try await Fixture.converted(scratch, to: .qcow2)) {
            $0.protected = true
        }
        let image = try await house.images.get(.name("one"))
        try await house.inventory.write { transaction in
            try transaction.execute(
                """
                INSERT INTO vm(id, name, state, managed, image, linked, revision, observed_at, document)
                VALUES (?, 'web1', 'stopped', 1, ?, 1, 1, 0, '{}')
                """, [ObjectID().rawValue, image.id.rawValue])
        }
        #expect(try await house.images.get(.name("one")).usedBy == ["web1"])
        let context = ImageHarness.context("image.delete", force: true)
        await #expect { _ = try await house.images.delete(.name("one"), context) } throws: { error in
            (error as? Problem)?.errorCode == .imageInUse
                && (error as? Problem)?.detail.contains("web1") == true
        }
        try await house.inventory.write { try $0.execute("DELETE FROM vm") }
        #expect(
            await code {
                _ = try await house.images.delete(.name("one"), ImageHarness.context("image.delete"))
            } == .imageProtected)
        #expect(house.files.count == 2)
        let operation = try await house.ended(try await house.images.delete(.name("one"), context))
        #expect(operation.status == .succeeded)
        #expect(house.files.isEmpty)
        #expect(await code { _ = try await house.images.get(.id(image.id)) } == .imageNotFound)
    }

    /// A file system of 2 MiB: an upload, a download and a conversion that do not fit.
    @Test(.enabled(if: geteuid() == 0, "only root may mount")) func aFullDiskIsSaidAndUndone() async throws {
        let small = scratch("small")
        try FileManager.default.createDirectory(atPath: small, withIntermediateDirectories: true)
        try await Tool("mount", ["-t", "tmpfs", "-o", "size=2m", "none", small]).run()
        let result: Result<Void, any Error>
        do { result = .success(try await fill(small)) } catch { result = .failure(error) }
        try await Tool("umount", ["-l", small]).run()
        try result.get()
    }

    private func fill(_ small: String) async throws {
        let house = try ImageHarness(scratch("state"))
        for name in ["incoming", "images"] {
            let path = "\(house.state.path)/\(name)"
            try FileManager.default.createDirectory(
                atPath: "\(small)/\(name)", withIntermediateDirectories: true)
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.createSymbolicLink(
                atPath: path, withDestinationPath: "\(small)/\(name)")
        }
        let raw = Fixture.read(try Fixture.raw(scratch))
        let whole = try ByteCount(bytes: 4 << 20)
        #expect(await code { try await house.upload("big", raw) } == .storageFull)
        #expect(await code { try await house.upload("told", raw) { $0.sizeBytes = whole } } == .storageFull)
        let server = try TestServer(scratch, content: raw)
        let download = try await house.download("load", server.url("plain"))
        #expect(download.error?.errorCode == .storageFull, "\(String(describing: download.error))")
        let image = try await Fixture.converted(scratch, to: .qcow2)
        let conversion = try await house.upload("wide", image) { $0.format = .raw }
        #expect(conversion.error?.errorCode == .storageFull, "\(String(describing: conversion.error))")
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(small)/images").isEmpty)
    }
}
