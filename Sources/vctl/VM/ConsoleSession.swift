// SPDX-License-Identifier: Apache-2.0
import Glibc
import VctlAPI
import VctlClient

/// Where typed bytes go. Another transport needs only this and something that reads like ``ReplyBody``.
struct ConsoleInput {
    private let client: Client
    private let name: String

    init(_ client: Client, _ name: String) {
        self.client = client
        self.name = name
    }

    func send(_ bytes: [UInt8]) throws {
        let request = Request(Endpoints.named("vm.console.input"), [name])
        _ = try client.send(request.bytes(bytes, as: "application/octet-stream"))
    }
}

/// A terminal, or a pipe, joined to a serial console: one loop over both directions.
final class ConsoleSession {
    private let output: ReplyBody
    private let input: ConsoleInput
    private let deadline: Deadline
    private var stdinIsOpen = true
    /// Ctrl-].
    static let detach: UInt8 = 0x1D

    init(output: ReplyBody, input: ConsoleInput, deadline: Deadline) {
        self.output = output
        self.input = input
        self.deadline = deadline
    }

    /// Runs until the console ends, Ctrl-] is typed, or the deadline passes.
    func run() throws {
        let terminal = Standard.inIsTerminal ? RawTerminal(0) : nil
        if terminal != nil { Standard.error("connected; Ctrl-] leaves\r") }
        defer { terminal?.restore() }
        while true {
            var wishes = [Poll.Wish.readable(output.descriptor)]
            if stdinIsOpen { wishes.append(.readable(0)) }
            let ready = output.hasBuffered ? [true] : try Poll.wait(wishes, until: deadline, nil)
            if ready[0] {
                guard let bytes = try output.next(until: deadline) else { return }
                Standard.out(bytes)
            }
            if ready.count > 1, ready[1], try !forward(isTerminal: terminal != nil) { return }
        }
    }

    /// Passes on what was typed; `false` once the user leaves.
    private func forward(isTerminal: Bool) throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(0, &buffer, buffer.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return true }
        guard count > 0 else {
            stdinIsOpen = false
            return !isTerminal
        }
        var bytes = Array(buffer[..<count])
        let leaves = isTerminal ? bytes.firstIndex(of: Self.detach) : nil
        if let leaves { bytes = Array(bytes[..<leaves]) }
        if !bytes.isEmpty { try input.send(bytes) }
        return leaves == nil
    }
}

/// A terminal that passes every key on.
final class RawTerminal {
    private let descriptor: Int32
    private var before = termios()
    private var isRaw = false

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        guard tcgetattr(descriptor, &before) == 0 else { return }
        var raw = before
        cfmakeraw(&raw)
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
}
