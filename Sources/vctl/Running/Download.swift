// SPDX-License-Identifier: Apache-2.0
import Glibc
import VctlAPI
import VctlClient

/// Writes the bytes of a reply into a file, or to standard output.
struct Download {
    private let client: Client
    private let deadline: Deadline

    init(_ client: Client, _ deadline: Deadline) {
        self.client = client
        self.deadline = deadline
        client.interrupts = Interrupts()
    }

    /// - Parameters:
    ///   - file: `-` is standard output.
    ///   - force: replaces what is there.
    func run(_ request: Request, to file: String, force: Bool) throws {
        guard file == "-" || force || access(file, F_OK) != 0 else {
            throw Failure.usage("there is a file \(shown(file)) already", hint: "--force replaces it")
        }
        let (head, body) = try client.open(request, until: deadline)
        guard head.status < 400 else {
            let reply = Reply(head: head, bytes: try body.rest(until: client.limit(deadline)))
            throw reply.problem ?? Problem(.internalError, "no content")
        }
        guard file != "-" else { return try copy(body, to: 1) }
        try replacing(file) { try copy(body, to: $0) }
    }

    private func copy(_ body: ReplyBody, to descriptor: Int32) throws {
        while let part = try body.next(until: deadline) { try Self.write(part, to: descriptor) }
    }

    /// A file of that name is there only when it is whole.
    private func replacing(_ path: String, _ fill: (Int32) throws -> Void) throws {
        let partial = path + ".partial"
        let descriptor = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Self.failure(partial) }
        do {
            defer { close(descriptor) }
            try fill(descriptor)
        } catch {
            unlink(partial)
            throw error
        }
        guard rename(partial, path) == 0 else { throw Self.failure(path) }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("the output") }
            rest = rest.dropFirst(count)
        }
    }

    private static func failure(_ what: String) -> Problem {
        Problem(.storageFailed, "\(shown(what)): \(String(cString: strerror(errno)))")
    }
}
