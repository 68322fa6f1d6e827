// SPDX-License-Identifier: Apache-2.0
import Glibc
import VctlAPI
import VctlClient

/// Files that the user names and the client reads; `-` is stdin.
enum Files {
    /// The bytes of a file, at most `limit`.
    /// - Throws: ``FileError``.
    static func bytes(_ path: String, limit: Int = Wire.maximumBody) throws -> [UInt8] {
        let descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError.unreadable(path, errno) }
        defer { if descriptor > 0 { close(descriptor) } }
        var result: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &part, part.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileError.unreadable(path, errno) }
            guard count > 0 else { return result }
            result += part[..<count]
            guard result.count <= limit else { throw FileError.tooLarge(path, limit: limit) }
        }
    }

    /// The text of a file.
    /// - Throws: ``FileError``, or a ``Failure`` where it is no UTF-8.
    static func text(_ path: String) throws -> String {
        guard let text = String(validating: try bytes(path), as: UTF8.self) else {
            throw Failure.usage("\(shown(path, limit: 200)) is no UTF-8 text")
        }
        return text
    }

    /// The public keys in a file, one a line.
    /// - Throws: a ``Failure`` where it holds a private key, or none at all.
    static func publicKeys(_ path: String) throws -> [String] {
        let text = try text(path)
        guard !text.contains("PRIVATE KEY-----") else {
            throw Failure.usage(
                "\(shown(path, limit: 200)) holds a private key, which is not sent",
                hint: "name the public one: --ssh-key \(shown(path, limit: 200)).pub")
        }
        let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingSpaces }
        let keys = lines.filter { !$0.isEmpty && !$0.hasPrefix("#") }
        guard !keys.isEmpty else { throw Failure.usage("\(shown(path, limit: 200)) holds no public key") }
        return keys
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        var text = self
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
