// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import NIOCore
import VctlAPI
import VctlCore

extension HandlerTable {
    mutating func addImages(_ core: Core) {
        let images = core.images
        on("image.list") { $0.reply(try await images.list(try $0.query.list())) }
        on("image.import", ImageCreate.self) { try $0.reply(try await images.create($1, $0.context)) }
        on("image.show") { $0.reply(try await images.show(try $0.reference())) }
        on("image.set", ImagePatch.self) { incoming, patch in
            let image = try incoming.reference()
            guard !incoming.context.dryRun else {
                return try .json(try await images.preview(image, patch, incoming.context))
            }
            return try .json(try await images.set(image, patch, incoming.context))
        }
        on("image.content") { incoming in
            let range = try incoming.headers[.contentRange].map { try ContentRange(header: $0) }
            let accepted = try await images.content(
                try incoming.reference(), range: range, body: incoming.body, incoming.context)
            // A part of it: nothing new was made, and more is awaited.
            if case .announced(let image) = accepted { return try .json(image) }
            return try incoming.reply(accepted)
        }
        on("image.export") { incoming in
            .content(try await images.content(try incoming.reference()))
        }
        on("image.delete") { try $0.reply(try await images.delete(try $0.reference(), $0.context)) }
    }
}

extension Reply {
    /// A file, with its length, so that a client knows whether it has got all.
    static func content(_ content: ImageContent) -> Reply {
        let headers: HTTPFields = [
            .contentType: "application/octet-stream", .contentLength: String(content.size),
        ]
        return Reply(
            .ok, headers,
            body: .stream { sink in
                while case let bytes = try await content.next(), !bytes.isEmpty {
                    try await sink.write(ByteBuffer(bytes: bytes))
                }
            })
    }
}
