// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Glibc
import Synchronization

/// A process whose standard input and output carry a connection, as `ssh` does to `vctl proxy`.
final class Carrier: Sendable {
    /// Our end of the socket pair that is its standard input and output.
    let descriptor: Int32
    /// What it writes on its standard error: a file, so that it never has to wait for a reader.
    private let errors: Int32
    private let pid: pid_t
    /// How it ended, once that is known: its number may be another process's by then.
    private let ended = Mutex<Int32?>(nil)

    /// Starts a program, found in `PATH`.
    /// - Throws: ``ClientError/noProgram(_:errno:)``.
    init(_ command: [String]) throws(ClientError) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw .noProgram(command[0], errno: errno)
        }
        let errors = Self.unnamedFile()
        var child = pid_t()
        let result = Self.spawn(command, joined: ends[1], errors: errors, &child)
        close(ends[1])
        guard result == 0 else {
            close(ends[0])
            if errors >= 0 { close(errors) }
            throw .noProgram(command[0], errno: result)
        }
        self.errors = errors
        descriptor = ends[0]
        pid = child
    }

    private static func unnamedFile() -> Int32 {
        var name = Array("/tmp/vctl-ssh.XXXXXX".utf8CString)
        let descriptor = mkstemp(&name)
        guard descriptor >= 0 else { return open("/dev/null", O_WRONLY | O_CLOEXEC) }
        unlink(name)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return descriptor
    }

    private static func spawn(
        _ command: [String], joined: Int32, errors: Int32, _ child: inout pid_t
    ) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, joined, 0)
        posix_spawn_file_actions_adddup2(&actions, joined, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let environment = ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" }
        return withStrings(command) { arguments in
            withStrings(environment) {
                posix_spawnp(&child, command[0], &actions, &attributes, arguments, $0)
            }
        }
    }

    /// What it has said on its standard error, its last lines.
    var words: String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let size = lseek(errors, 0, SEEK_END)
        let count = pread(errors, &bytes, bytes.count, max(0, size - off_t(bytes.count)))
        let text = String(decoding: bytes[..<max(0, count)], as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }
        return lines.suffix(3).joined(separator: " ")
    }

    /// Waits for its end and gives its exit status; a signal's number is counted from 128.
    /// One that does not end by itself is told to, and killed where that does not help.
    func status() -> Int32 {
        ended.withLock { known in
            let status = known ?? wait()
            known = status
            return status
        }
    }

    private func wait() -> Int32 {
        if let status = wait(until: .after(seconds: 3)) { return status }
        kill(pid, SIGTERM)
        if let status = wait(until: .after(seconds: 1)) { return status }
        kill(pid, SIGKILL)
        return wait(until: .never) ?? -1
    }

    /// - Returns: `nil` where it has not ended in time.
    private func wait(until deadline: Deadline) -> Int32? {
        var status: Int32 = 0
        while true {
            let result = waitpid(pid, &status, WNOHANG)
            if result == pid { return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F) }
            if result < 0, errno != EINTR { return -1 }
            guard !deadline.hasPassed else { return nil }
            usleep(2000)
        }
    }

    /// Ends it, and with it the connection.
    func end() {
        close(descriptor)
        if ended.withLock({ $0 }) == nil { kill(pid, SIGTERM) }
        _ = status()
        close(errors)
    }
}

/// Lends texts as C's null-terminated array of strings.
private func withStrings<T>(_ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> T) -> T {
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
}
