// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

extension ImageService {
    /// Receives the content of an announced image, or a part of it. A part begins where the last one ended; a
    /// request without a range sends everything from the start. Reads `body` only as fast as the disk writes.
    /// - Returns: `.operation`, the import, once everything is there; until then `.announced` with
    ///   `receivedBytes`.
    /// - Throws: ``Problem`` `image.notFound`, `image.state`, `image.busy`, `request.range` with the expected
    ///   offset, `storage.full`; and what `body` throws. What came before stays, and is gone on from.
    public func content<Body: AsyncSequence & Sendable>(
        _ reference: Reference, range: ContentRange?, body: Body, _ context: RequestContext
    ) async throws -> Accepted where Body.Element == [UInt8] {
        let row = try await inventory.read { try ImageStore.get($0, reference) }
        try uploads.begin(row)
        defer { uploads.end(row.id) }
        let part = try Part(row, range, context, limits)
        let end = try await receive(part, body)
        try part.checkEnd(end)
        guard part.isWhole(end) else { return .announced(try await get(.id(row.id))) }
        return try await startImport(row.id, context)
    }

    private func receive<Body: AsyncSequence & Sendable>(
        _ part: Part, _ body: Body
    ) async throws -> Int64 where Body.Element == [UInt8] {
        if part.start < part.known { try await inventory.write { try $0.received(part.start, of: part.id) } }
        let path = state.incoming(part.id)
        let file = try await Blocking.run { try UploadFile(path: path, size: part.start) }
        var progress = Received(end: part.start, safe: part.start)
        do {
            try await copy(body, to: file, part, &progress)
            try await settle(file, part, &progress)
        } catch {
            await salvage(file, part, &progress, after: error)
            throw error
        }
        file.close()
        return progress.end
    }

    private func copy<Body: AsyncSequence & Sendable>(
        _ body: Body, to file: UploadFile, _ part: Part, _ progress: inout Received
    ) async throws where Body.Element == [UInt8] {
        for try await bytes in body {
            let offset = progress.end
            try part.checkRoom(offset + Int64(bytes.count))
            try await Blocking.run { try file.write(bytes, at: offset) }
            progress.end += Int64(bytes.count)
            if progress.end - progress.safe >= Int64(limits.checkpointBytes) {
                try await settle(file, part, &progress)
            }
        }
    }

    /// Makes what was received last, then counts it: after a power cut the count is never ahead of the disk.
    private func settle(_ file: UploadFile, _ part: Part, _ progress: inout Received) async throws {
        guard progress.end > progress.safe else { return }
        try await Blocking.run { try file.sync() }
        let end = progress.end
        try await inventory.write { try $0.received(end, of: part.id) }
        progress.safe = end
    }

    /// A lost connection keeps what came; what the request itself broke is taken back.
    private func salvage(
        _ file: UploadFile, _ part: Part, _ progress: inout Received, after error: any Error
    ) async {
        if error is Problem || error is FileFailure {
            let start = part.start
            try? await inventory.write { try $0.received(start, of: part.id) }
            file.cut(to: start)
        } else {
            try? await settle(file, part, &progress)
        }
        file.close()
    }

    private func startImport(_ id: ObjectID, _ context: RequestContext) async throws -> Accepted {
        let row = try await inventory.read { try ImageStore.get($0, .id(id)) }
        guard row.state == .uploading, let announced = row.announced else { throw Part.notUploading(row) }
        var image = row.document
        image.state = .importing
        image.receivedBytes = nil
        let work = ImageImport.Request(
            image: image, origin: .upload, checksum: announced.checksum, sourceFormat: announced.sourceFormat,
            format: announced.format)
        return try await accept(work, context) { [image] transaction, operation in
            let now = try ImageStore.get(transaction.db, .id(id))
            guard now.revision == row.revision else { throw ImageRules.changedMeanwhile(now) }
            try transaction.update(image, operation: operation)
        }.reply
    }
}

/// How far one request came.
private struct Received {
    /// The offset behind the last byte that was written.
    var end: Int64
    /// The offset up to which the disk has it for sure.
    var safe: Int64
}

/// The part of the content that one request sends.
private struct Part: Sendable {
    let id: ObjectID
    let name: Name
    /// What was there before.
    let known: Int64
    let start: Int64
    private let range: ContentRange?
    private let total: Int64?
    private let limit: Int64

    init(_ row: ImageRow, _ range: ContentRange?, _ context: RequestContext, _ limits: ImageLimits) throws {
        guard row.state == .uploading else { throw Self.notUploading(row) }
        try ImageRules.check(context.ifMatch, row)
        try ImageRules.checkIdle(row)
        id = row.id
        name = row.name
        known = row.document.receivedBytes ?? 0
        start = range?.first ?? 0
        self.range = range
        total = row.announced?.sizeBytes ?? range?.total
        limit = min(total ?? limits.contentBytes, range.map { $0.last + 1 } ?? .max)
        try checkRange(row.announced?.sizeBytes)
    }

    private func checkRange(_ announced: Int64?) throws {
        guard let range else { return }
        guard range.first == known || range.first == 0 else {
            throw refusal("the next byte that is expected has the offset \(known), not \(range.first)")
        }
        if let announced, range.last >= announced || (range.total ?? announced) != announced {
            throw refusal("\(announced) bytes were announced")
        }
    }

    /// - Throws: ``Problem`` when there are more bytes than was said.
    func checkRoom(_ end: Int64) throws {
        guard end > limit else { return }
        throw refusal("there are more than the \(limit - start) bytes that were to come")
    }

    /// - Throws: ``Problem`` when fewer bytes came than the range, or the whole, was said to have.
    func checkEnd(_ end: Int64) throws {
        if let range, end != range.last + 1 {
            throw refusal("the range has \(range.count) bytes, and \(end - start) came")
        }
        if range == nil, let total, end != total {
            throw refusal("\(total) bytes were announced, and \(end) came")
        }
    }

    /// Whether nothing is missing any more. Without any word of the size, a request without a range is the
    /// whole.
    func isWhole(_ end: Int64) -> Bool { total.map { end == $0 } ?? (range == nil) }

    private func refusal(_ detail: String) -> Problem {
        Problem(
            .requestRange, "image \(name): \(detail)", hint: "vctl image show \(name) tells receivedBytes")
    }

    static func notUploading(_ row: ImageRow) -> Problem {
        Problem(
            .imageState, "image \(row.name) is \(row.state.rawValue) and waits for no content",
            hint: "vctl image show \(row.name)", operation: row.operation)
    }
}
