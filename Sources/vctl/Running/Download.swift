// SPDX-License-Identifier: Apache-2.0
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
        guard file == "-" || force || !Files.wouldReplace(file) else {
            throw Failure.usage("there is a file \(shown(file)) already", hint: "--force replaces it")
        }
        let body = try client.content(request, until: deadline)
        guard file != "-" else { return try copy(body, to: 1, of: "the output") }
        // It may hold what not everybody may read.
        try Files.writing(file, permissions: 0o600) { try copy(body, to: $0, of: file) }
    }

    private func copy(_ body: ReplyBody, to descriptor: Int32, of file: String) throws {
        while let part = try body.next(until: deadline) {
            try Files.write(part, to: descriptor, of: file)
        }
    }
}
