// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// A file in a guest that the agent has open.
struct GuestFile: Sendable {
    /// How a file is opened, in the words of C's fopen.
    enum Mode: String, Codable, Sendable {
        case read = "r"
        /// What is there is thrown away.
        case write = "w"
    }

    /// Bytes that are read or written in one command. libvirt's limit is 10 MiB, but with QEMU 7.2 a request
    /// of more than 256 KiB (in base64, a third of it is lost) never gets through to the guest.
    static let pieceBytes = 1 << 17

    private let agent: GuestAgent
    private let handle: Int

    /// - Throws: ``Problem`` `agent.failed` where there is no such file.
    init(_ path: String, _ mode: Mode, _ agent: GuestAgent) async throws {
        struct Open: Encodable { var path: String, mode: Mode }
        self.agent = agent
        handle = try await agent.send("guest-file-open", Open(path: path, mode: mode))
    }

    /// At most `count` bytes from where the last read ended; none at the end, to which more may come.
    func read(_ count: Int = GuestFile.pieceBytes) async throws -> [UInt8] {
        struct Read: Encodable { var handle: Int, count: Int }
        struct Got: Decodable {
            var bytes: Base64
            enum CodingKeys: String, CodingKey { case bytes = "buf-b64" }
        }
        return try await agent.send("guest-file-read", Read(handle: handle, count: count), as: Got.self).bytes
            .bytes
    }

    /// Writes all of it, in as many commands as that takes.
    func write(_ bytes: [UInt8]) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            try await write(piece: Array(rest.prefix(Self.pieceBytes)))
            rest = rest.dropFirst(Self.pieceBytes)
        }
    }

    private func write(piece bytes: [UInt8]) async throws {
        struct Write: Encodable {
            var handle: Int
            var bytes: Base64
            enum CodingKeys: String, CodingKey { case handle, bytes = "buf-b64" }
        }
        try await agent.tell("guest-file-write", Write(handle: handle, bytes: Base64(bytes)))
    }

    /// Closes it although the task may be cancelled: the agent would keep the file open for ever.
    func giveUp() async {
        _ = await Task { try? await close() }.value
    }

    /// Writes out what the agent holds back, and gives the handle up.
    func close() async throws {
        struct Close: Encodable { var handle: Int }
        try await agent.tell("guest-file-close", Close(handle: handle))
    }
}
