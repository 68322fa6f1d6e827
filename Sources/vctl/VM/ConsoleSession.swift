// SPDX-License-Identifier: Apache-2.0
import Glibc
import VctlAPI
import VctlClient

/// A terminal, or a pipe, joined to a serial console: one loop over both directions, neither of which waits
/// for the other.
final class ConsoleSession {
    private let channel: ByteChannel
    private let deadline: Deadline
    private let escape: EscapeKey
    /// Whether what is typed is sent.
    private let types: Bool
    private let interrupts: Interrupts?
    private var stdinIsOpen = true
    /// What was typed and not yet taken.
    private var pending: ArraySlice<UInt8>
    /// So much is read beforehand from standard input, in bytes.
    private static let ahead = 65_536

    /// - Parameter first: is typed before all else.
    init(
        _ channel: ByteChannel, deadline: Deadline, escape: EscapeKey, types: Bool, first: [UInt8] = [],
        interrupts: Interrupts?
    ) {
        self.channel = channel
        self.deadline = deadline
        self.escape = escape
        self.types = types
        self.interrupts = interrupts
        pending = first[...]
    }

    /// Runs until the console ends, the user leaves, or the deadline passes.
    /// - Returns: whether it was the user.
    func run() throws -> Bool {
        let terminal = Standard.inIsTerminal ? RawTerminal(0, keepsSignals: !types) : nil
        if terminal != nil { Standard.error("connected; \(escape.name) leaves\r") }
        defer { terminal?.restore() }
        stdinIsOpen = types || terminal != nil
        while true {
            let ready = try wait()
            if ready.write { flush() }
            if ready.read {
                guard let bytes = try channel.read(until: deadline) else { return false }
                Standard.out(bytes)
            }
            if ready.typed, try !take(isTerminal: terminal != nil) { return true }
        }
    }

    private func wait() throws -> (read: Bool, write: Bool, typed: Bool) {
        let listens = stdinIsOpen && pending.count < Self.ahead
        if channel.hasBuffered { return (true, !pending.isEmpty, false) }
        var wishes = [Poll.Wish.readable(channel.input)]
        if listens { wishes.append(.readable(0)) }
        if !pending.isEmpty { wishes.append(.writable(channel.output)) }
        let ready = try Poll.wait(wishes, until: deadline, interrupts)
        return (ready[0], !pending.isEmpty && ready[ready.count - 1], listens && ready[1])
    }

    private func flush() {
        // A daemon that reads no more is about to end the stream.
        guard let count = channel.write(pending) else {
            (pending, stdinIsOpen) = ([], false)
            return
        }
        pending = pending.dropFirst(count)
        endInput()
    }

    private func endInput() {
        if !stdinIsOpen, pending.isEmpty, types { channel.finishWriting() }
    }

    /// Takes what was typed; `false` once the user leaves.
    private func take(isTerminal: Bool) throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        let count = read(0, &buffer, buffer.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return true }
        guard count > 0 else {
            stdinIsOpen = false
            endInput()
            return !isTerminal
        }
        var bytes = buffer[..<count]
        let leaves = isTerminal ? escape.byte.flatMap { bytes.firstIndex(of: $0) } : nil
        if let leaves { bytes = bytes[..<leaves] }
        if types { pending += bytes }
        guard leaves != nil else { return true }
        try sendRest()
        return false
    }

    /// What was typed before the user left is theirs, too.
    private func sendRest() throws {
        let limit = Deadline.after(seconds: 5)
        while !pending.isEmpty {
            _ = try Poll.wait([.writable(channel.output)], until: limit, interrupts)
            guard let count = channel.write(pending) else { return }
            pending = pending.dropFirst(count)
        }
    }
}

/// The key that leaves a console.
struct EscapeKey: Equatable {
    /// `nil`: there is none.
    let byte: UInt8?
    /// As it is written.
    let name: String

    /// Ctrl-], as everywhere.
    static let usual = EscapeKey(byte: 0x1D, name: "Ctrl-]")

    private init(byte: UInt8?, name: String) {
        self.byte = byte
        self.name = name
    }

    /// `^]` for a key with Ctrl, one character for itself, `none`.
    init(_ text: String) throws {
        let bytes = Array(text.utf8)
        switch bytes.count {
        case _ where text == "none": self.init(byte: nil, name: "closing the terminal")
        case 1 where (0x21...0x7E).contains(bytes[0]): self.init(byte: bytes[0], name: text)
        case 2 where bytes[0] == UInt8(ascii: "^"):
            let key = bytes[1] >= 0x61 && bytes[1] <= 0x7A ? bytes[1] - 0x20 : bytes[1]
            guard (0x40...0x5F).contains(key) else { throw Self.refusal }
            self.init(byte: key - 0x40, name: "Ctrl-\(Character(Unicode.Scalar(key)))")
        default: throw Self.refusal
        }
    }

    private static let refusal = Parse.Refused(description: "write ^] for Ctrl-], one character, or none")
}

/// A terminal that passes every key on.
final class RawTerminal {
    private let descriptor: Int32
    private var before = termios()
    private var isRaw = false

    /// - Parameter keepsSignals: Ctrl-C and its like still reach this program, and not the guest.
    init(_ descriptor: Int32, keepsSignals: Bool = false) {
        self.descriptor = descriptor
        guard tcgetattr(descriptor, &before) == 0 else { return }
        var raw = before
        cfmakeraw(&raw)
        if keepsSignals { raw.c_lflag |= tcflag_t(ISIG) }
        isRaw = tcsetattr(descriptor, TCSANOW, &raw) == 0
    }

    /// - Parameter newLine: whether what follows begins on a line of its own.
    func restore(newLine: Bool = true) {
        guard isRaw else { return }
        isRaw = false
        tcsetattr(descriptor, TCSADRAIN, &before)
        if newLine { Standard.errorText("\n") }
    }

    deinit { restore() }

    /// The size of the terminal on standard input, as `stty` says; `nil` where it is none.
    static var size: (rows: Int, columns: Int)? {
        // ioctl is variadic, which Swift cannot call.
        guard let pipe = popen("stty size", "r") else { return nil }
        defer { pclose(pipe) }
        var line = [CChar](repeating: 0, count: 64)
        guard fgets(&line, Int32(line.count), pipe) != nil else { return nil }
        let text = String(decoding: line.prefix { $0 > 0x20 || $0 == 0x20 }.map { UInt8($0) }, as: UTF8.self)
        let numbers = text.split(separator: " ").compactMap { Int($0) }
        guard numbers.count == 2, numbers.allSatisfy({ (1...9999).contains($0) }) else { return nil }
        return (numbers[0], numbers[1])
    }
}
