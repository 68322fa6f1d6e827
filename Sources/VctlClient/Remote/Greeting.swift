// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The line that `vctl proxy` says first: whether it reached the daemon. What a login shell prints before it
/// is passed over.
public enum Greeting: Hashable, Sendable {
    /// From here on, bytes are the daemon's.
    case connected
    /// The daemon's socket there could not be connected.
    case refused(socket: String, errno: Int32)

    private static let mark = "vctl-proxy 1 "

    /// The line with what ends a line that someone else began.
    public var line: String {
        switch self {
        case .connected: "\n\(Self.mark)connected\n"
        case .refused(let socket, let number): "\n\(Self.mark)errno \(number) \(socket)\n"
        }
    }

    /// Reads a line; `nil` for one that is something else.
    init?(_ line: String) {
        guard line.hasPrefix(Self.mark) else { return nil }
        let words = line.dropFirst(Self.mark.count).split(separator: " ", maxSplits: 2)
        switch words.first {
        case "connected": self = .connected
        case "errno" where words.count == 3:
            guard let number = Int32(words[1]) else { return nil }
            self = .refused(socket: String(words[2]), errno: number)
        default: return nil
        }
    }

    /// Reads up to the greeting and not a byte further; `nil` where the stream ends before it.
    static func read(_ descriptor: Int32, until deadline: Deadline, _ interrupts: Interrupts?) throws -> Self?
    {
        var line: [UInt8] = []
        var total = 0
        while total < 1 << 20 {
            _ = try Poll.wait([.readable(descriptor)], until: deadline, interrupts)
            var byte: UInt8 = 0
            let count = Glibc.read(descriptor, &byte, 1)
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count == 1 else { return nil }
            total += 1
            guard byte == 0x0A else {
                line.append(byte)
                continue
            }
            if let greeting = Self(String(decoding: line, as: UTF8.self)) { return greeting }
            line.removeAll(keepingCapacity: true)
        }
        throw ClientError.malformed("no vctl proxy, but very much text")
    }
}
