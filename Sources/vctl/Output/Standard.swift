// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The three standard streams.
enum Standard {
    /// Writes data, at once.
    static func out(_ text: String) { write(Array(text.utf8), to: 1) }
    static func out(_ bytes: [UInt8]) { write(bytes, to: 1) }

    /// Writes a line for people.
    static func error(_ line: String) { write(Array((line + "\n").utf8), to: 2) }
    /// Writes for people, without a line end.
    static func errorText(_ text: String) { write(Array(text.utf8), to: 2) }

    /// Passes on what something else says on its standard error.
    static func errorBytes(_ bytes: [UInt8]) { write(bytes, to: 2) }

    static var inIsTerminal: Bool { isatty(0) == 1 }
    static var outIsTerminal: Bool { isatty(1) == 1 }
    static var errorIsTerminal: Bool { isatty(2) == 1 }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&entry, 1, -1)
            } else if errno != EINTR {
                // A full disk must not look like success; for stderr there is nowhere left to say so.
                if descriptor == 1 { failToWrite(errno) }
                return
            }
        }
    }

    private static func failToWrite(_ number: Int32) -> Never {
        error("error: cannot write to stdout: \(String(cString: strerror(number))) (client.failed)")
        exit(1)
    }

    /// Asks on the terminal; `false` for everything that is not yes.
    static func confirms(_ question: String) -> Bool {
        errorText("\(question) [y/N] ")
        let answer = readLine()?.lowercased() ?? ""
        return answer == "y" || answer == "yes"
    }
}
