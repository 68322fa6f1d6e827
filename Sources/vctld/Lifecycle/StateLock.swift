// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The state directory, held by one daemon at a time. Two on one inventory would undo each other.
struct StateLock: ~Copyable {
    let path: String
    private let lock: Int32

    /// Makes the directory (0711) where it is missing, and locks it for as long as this value lives.
    /// - Throws: ``StartError`` when it cannot be made, or another daemon holds it.
    init(path: String) throws {
        self.path = path
        try Self.make(path)
        lock = try Self.lock("\(path)/lock", path)
    }

    deinit { close(lock) }

    private static func make(_ path: String) throws {
        var made = path.hasPrefix("/") ? "" : "."
        for component in path.split(separator: "/") {
            made += "/\(component)"
            guard mkdir(made, 0o711) != 0, errno != EEXIST else { continue }
            throw StartError("the state directory \(path) cannot be made: \(made): \(systemError())")
        }
    }

    private static func lock(_ file: String, _ directory: String) throws -> Int32 {
        let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw StartError("the state directory \(directory) cannot be used: \(file): \(systemError())")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = contents(of: descriptor)
            close(descriptor)
            throw StartError(
                "another vctld\(holder.isEmpty ? "" : " (pid \(holder))") uses the state directory"
                    + " \(directory);"
                    + " stop it, or choose another with --state-dir")
        }
        _ = ftruncate(descriptor, 0)
        let pid = "\(getpid())\n"
        _ = pid.withCString { write(descriptor, $0, pid.utf8.count) }
        return descriptor
    }

    private static func contents(of descriptor: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        return String(decoding: buffer.prefix(max(0, count)).prefix { $0 != 0x0A }, as: UTF8.self)
    }
}
