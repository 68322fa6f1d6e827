// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VctlClient

/// The run of `image import`.
struct ImageImporting {
    let command: ImageImport
    let client: Client
    let output: OutputOptions

    private var name: String { command.name.rawValue }
    private var deadline: Deadline { command.wait.deadline }

    /// The daemon downloads.
    func download(_ body: ImageCreate) throws {
        let batch = Batch(client, .image, output, command.wait)
        guard let reply = try announce(body) else { return }
        try batch.finish(name, try batch.outcome(reply))
    }

    /// This program reads a file and sends it.
    func upload(_ body: ImageCreate) throws {
        let file = try UploadFile(path: command.source)
        var body = body
        body.sizeBytes = try ByteCount(bytes: file.size)
        let batch = Batch(client, .image, output, command.wait)
        guard let reply = try announce(body) else { return }
        guard !command.wait.dryRun else { return try batch.finish(name, .preview(reply)) }
        let image = try reply.decoded(as: Image.self)
        // The same key again: the content has been sent already.
        guard image.state == .uploading else { return try batch.finish(name, .reply(reply)) }
        try batch.finish(name, try batch.outcome(try send(file, as: image)))
    }

    /// `nil` where there is such an image already, and that is fine.
    private func announce(_ body: ImageCreate) throws -> Reply? {
        var request = try Request(Endpoints.named("image.import"), query: command.wait.change.query).json(
            body)
        if !command.wait.dryRun { request = try request.keyed(command.key.key) }
        do {
            return try client.sendKeyed(request, until: deadline)
        } catch let problem as Problem where problem.errorCode == .imageExists && command.ifNotExists {
            Standard.error("\(name) exists; nothing to do")
            let reply = try client.send(Request(Endpoints.named("image.show"), [name]), until: deadline)
            try Printer(.image, output).objects([reply.bytes], asArray: false, detailed: false)
            return nil
        }
    }

    private func send(_ file: UploadFile, as image: Image) throws -> Reply {
        let line = ProgressLine(name)
        defer { line.clear() }
        do {
            return try client.upload(
                file, by: Request(Endpoints.named("image.content"), [image.id.rawValue]), until: deadline,
                received: { try received(image.id) },
                report: { line.show(phase: "uploading", done: $0, total: file.size, inBytes: true) })
        } catch {
            line.clear()
            throw abandoned(image, error)
        }
    }

    private func received(_ id: ObjectID) throws -> Int64 {
        let reply = try client.send(Request(Endpoints.named("image.show"), [id.rawValue]), until: deadline)
        return try reply.decoded(as: Image.self).receivedBytes ?? 0
    }

    /// An upload that cannot be completed must not keep the name.
    private func abandoned(_ image: Image, _ error: any Error) -> any Error {
        let cleaner = client.another()
        cleaner.patience = 10
        let delete = Request(Endpoints.named("image.delete"), [image.id.rawValue])
        if let operation = try? cleaner.send(delete).decoded(as: Operation.self) {
            _ = try? cleaner.follow(operation.id, until: .after(seconds: cleaner.patience))
        }
        guard case ClientError.interrupted = error else { return error }
        return Failure(
            message: "interrupted; the upload of \(name) is given up", code: ClientError.interrupted.code,
            hint: nil,
            exit: .interrupted)
    }
}
