// SPDX-License-Identifier: Apache-2.0
import Glibc
import VctlAPI

/// Files that the user wants written.
extension Files {
    /// Whether a file is there that ``writing(_:permissions:_:)`` would replace.
    static func wouldReplace(_ path: String) -> Bool { kind(path) == S_IFREG }

    /// Writes a file, which is there whole or not at all; one that is there already is replaced.
    /// - Throws: a ``Failure``.
    static func write(_ bytes: [UInt8], to path: String) throws {
        try writing(path) { try write(bytes, to: $0, of: path) }
    }

    /// Writes all the bytes.
    /// - Parameter path: how errors name the descriptor's file.
    /// - Throws: a ``Failure``.
    static func write(_ bytes: [UInt8], to descriptor: Int32, of path: String) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 || errno == EINTR else { throw unwritable(path) }
            sent += max(count, 0)
        }
    }

    /// Lets `fill` write a file, which is there whole or not at all; one that is there already is replaced,
    /// where a symbolic link leads to it, too. What is no file, such as a pipe or a device, is written to.
    /// - Throws: a ``Failure``, and what `fill` throws.
    static func writing(
        _ path: String, permissions: mode_t = 0o666, _ fill: (Int32) throws -> Void
    ) throws {
        if let kind = kind(path), kind != S_IFREG {
            return try filling(path, open(path, O_WRONLY | O_CLOEXEC), fill)
        }
        let target = try followed(path)
        let number = String(UInt64.random(in: 0 ... .max), radix: 36)
        let partial = folder(of: target) + ".vctl-\(number).partial"
        let descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, permissions)
        do {
            try filling(path, descriptor, fill)
            guard rename(partial, target) == 0 else { throw unwritable(path) }
        } catch {
            if descriptor >= 0 { unlink(partial) }
            throw error
        }
    }

    private static func filling(_ path: String, _ descriptor: Int32, _ fill: (Int32) throws -> Void) throws {
        guard descriptor >= 0 else { throw unwritable(path) }
        do {
            try fill(descriptor)
        } catch {
            close(descriptor)
            throw error
        }
        // Some file systems tell only now that there was no room.
        guard close(descriptor) == 0 else { throw unwritable(path) }
    }

    /// What is at a path, or where a link there leads.
    private static func kind(_ path: String) -> mode_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    /// The path that is no link, even where nothing is there yet.
    private static func followed(_ path: String) throws -> String {
        var path = path
        // As many as Linux follows.
        for _ in 0..<40 {
            var name = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlink(path, &name, name.count)
            guard count > 0 else { return path }
            let target = String(decoding: name[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            path = target.hasPrefix("/") ? target : folder(of: path) + target
        }
        throw unwritable(path, ELOOP)
    }

    private static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    }

    /// What is said of a file that cannot be written.
    static func unwritable(_ path: String, _ number: Int32 = errno) -> Failure {
        Failure(
            message: "cannot write \(shown(path, limit: 200)): \(String(cString: strerror(number)))",
            code: "file.unwritable", exit: .failed)
    }
}
