// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import VctlAPI
import VctlClient

/// `vctl image export`.
struct ImageExport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write an image into a file here.",
        discussion: "vctl image export debian debian.qcow2")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var timeout: TimeoutOption
    @Argument(help: .init("Name or UUID.", valueName: "name"), transform: Parse.reference) var name: Reference
    @Argument(help: .init("The file; - is standard output.", valueName: "file")) var file: String
    @Flag(name: .customLong("force"), help: "Replace a file that is there.") var force = false

    func run() throws {
        guard file == "-" || force || access(file, F_OK) != 0 else {
            throw Failure.usage("there is a file \(shown(file)) already", hint: "--force replaces it")
        }
        let client = connect.client()
        let request = Request(Endpoints.named("image.export"), [name.description])
        let (head, body) = try client.open(request, until: timeout.deadline)
        guard head.status < 400 else {
            let reply = Reply(head: head, bytes: try body.rest(until: client.limit(timeout.deadline)))
            throw reply.problem ?? Problem(.internalError, "no content")
        }
        guard file != "-" else { return try copy(body) { try Self.write($0, to: 1) } }
        try Self.replacing(file) { descriptor in try copy(body) { try Self.write($0, to: descriptor) } }
    }

    private func copy(_ body: ReplyBody, _ write: ([UInt8]) throws -> Void) throws {
        while let part = try body.next(until: timeout.deadline) { try write(part) }
    }

    /// A file of that name is there only when it is whole.
    private static func replacing(_ path: String, _ fill: (Int32) throws -> Void) throws {
        let partial = path + ".partial"
        let descriptor = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure(partial) }
        do {
            defer { close(descriptor) }
            try fill(descriptor)
            guard fsync(descriptor) == 0 else { throw failure(partial) }
        } catch {
            unlink(partial)
            throw error
        }
        guard rename(partial, path) == 0 else { throw failure(path) }
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
