// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import HummingbirdCore
import NIOCore
import Synchronization
import VctlAPI

/// The body of a request: read once, piece by piece, and kept whole only where it is small.
struct IncomingBody: AsyncSequence, Sendable {
    typealias Element = [UInt8]

    /// Reading pulls from the connection: what is not asked for waits at the client.
    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var parts: RequestBody.AsyncIterator
        fileprivate let progress: Progress
        fileprivate let announced: Int?
        fileprivate var received = 0

        /// The next bytes; `nil` at the end.
        /// - Throws: when the client leaves before the end.
        mutating func next() async throws -> [UInt8]? {
            do {
                guard let part = try await parts.next() else { return try end() }
                received += part.readableBytes
                return Array(part.readableBytesView)
            } catch {
                progress.state.withLock { $0.failure = error }
                throw error
            }
        }

        private func end() throws -> [UInt8]? {
            if let announced, received < announced { throw Truncated() }
            progress.state.withLock { $0.isComplete = true }
            return nil
        }
    }

    /// The client left in the middle of the body.
    struct Truncated: Error {}

    fileprivate final class Progress: Sendable {
        let state = Mutex((isComplete: false, failure: (any Error)?.none))
    }

    private let body: RequestBody
    private let progress = Progress()
    /// `Content-Length`; `nil` for a chunked body.
    let announced: Int?
    /// Whether there is one at all.
    let exists: Bool

    init(_ request: Request) {
        body = request.body
        announced = request.headers[.contentLength].flatMap(Int.init)
        exists = (announced ?? 0) > 0 || request.headers[.transferEncoding] != nil
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(parts: body.makeAsyncIterator(), progress: progress, announced: announced)
    }

    /// Whether everything of it has been read.
    var isComplete: Bool { !exists || progress.state.withLock { $0.isComplete } }
    /// What ended the reading too early.
    var failure: (any Error)? { progress.state.withLock { $0.failure } }

    /// The whole body.
    /// - Throws: ``Problem`` `request.tooLarge` as soon as that is known.
    func collect(upTo maximum: Int) async throws -> [UInt8] {
        guard exists else { return [] }
        guard (announced ?? 0) <= maximum else { throw Self.tooLarge(maximum) }
        var bytes: [UInt8] = []
        for try await part in self {
            guard bytes.count + part.count <= maximum else { throw Self.tooLarge(maximum) }
            bytes.append(contentsOf: part)
        }
        return bytes
    }

    static func tooLarge(_ maximum: Int) -> Problem {
        Problem(.requestTooLarge, "the body is larger than \(ByteCount.human(Int64(maximum)))")
    }
}
