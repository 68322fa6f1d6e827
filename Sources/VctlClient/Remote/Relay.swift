// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Joins two connections: what comes from one goes to the other.
public struct Relay {
    private let near: Transport
    private let far: Transport
    private var outward = Pipe()
    private var inward = Pipe()

    /// Bytes on their way in one direction.
    private struct Pipe {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var pending: Range<Int> = 0..<0
        var isOpen = true

        var wantsMore: Bool { isOpen && pending.isEmpty }

        /// Takes in what there is; `false` where the other end is broken.
        mutating func fill(from descriptor: Int32) -> Bool {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 { return errno == EINTR || errno == EAGAIN }
            isOpen = count > 0
            pending = 0..<count
            return true
        }

        /// Gives on what fits; `false` where the other end is gone.
        mutating func flush(to transport: Transport) -> Bool {
            let count = buffer[pending].withUnsafeBytes { transport.write($0) }
            if count < 0 { return errno == EINTR || errno == EAGAIN }
            pending = (pending.lowerBound + count)..<pending.upperBound
            return true
        }
    }

    /// - Parameters:
    ///   - near: the client's side, whose end closes only that direction.
    ///   - far: the daemon's side, whose end is the end of all.
    public init(near: Transport, far: Transport) {
        self.near = near
        self.far = far
    }

    /// Copies until the far side has ended, or the near one is gone. A near side that has only said all is
    /// still there to listen, however long the far one is silent: so is a script on a console.
    public mutating func run() {
        // A near side that is gone must not end the process before it has tidied up.
        signal(SIGPIPE, SIG_IGN)
        while inward.isOpen || !inward.pending.isEmpty {
            var list = [
                pollfd(fd: outward.wantsMore ? near.input : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: outward.pending.isEmpty ? -1 : far.output, events: Int16(POLLOUT), revents: 0),
                pollfd(fd: inward.wantsMore ? far.input : -1, events: Int16(POLLIN), revents: 0),
                // Without anything to write it is still watched: its hang-up ends an idle stream.
                pollfd(fd: near.output, events: inward.pending.isEmpty ? 0 : Int16(POLLOUT), revents: 0),
            ]
            let count = poll(&list, 4, -1)
            if count < 0, errno == EINTR { continue }
            guard count > 0, turn(list.map { Int32($0.revents) }) else { return }
        }
    }

    private mutating func turn(_ events: [Int32]) -> Bool {
        if events[0] != 0 {
            guard outward.fill(from: near.input) else { return false }
            if !outward.isOpen { shutdown(far.output, Int32(SHUT_WR)) }
        }
        if events[1] != 0, !outward.flush(to: far) { return false }
        if events[2] != 0, !inward.fill(from: far.input) { return false }
        guard events[3] != 0 else { return true }
        return inward.pending.isEmpty ? events[3] & (POLLERR | POLLHUP) == 0 : inward.flush(to: near)
    }
}
