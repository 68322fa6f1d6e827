// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Ctrl-C as something that can be waited for: while it lives, SIGINT ends waits instead of the process.
public final class Interrupts {
    private var before = sigaction()

    /// Takes SIGINT over.
    public init() {
        _ = interruptPipe
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in
            let saved = errno
            var byte: UInt8 = 1
            _ = write(interruptPipe.write, &byte, 1)
            errno = saved
        }
        sigaction(SIGINT, &action, &before)
        // Who started this program may have left the signal blocked.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    deinit { sigaction(SIGINT, &before, nil) }

    /// Readable once Ctrl-C was pressed.
    var descriptor: Int32 { interruptPipe.read }

    /// Whether Ctrl-C was pressed.
    public var happened: Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) > 0
    }

    /// Throws away what was pressed so far.
    public func forget() {
        var byte: UInt8 = 0
        while happened, read(descriptor, &byte, 1) == 1 {}
    }
}

/// A signal handler can reach nothing but a global; the pipe is made before the handler is set.
private let interruptPipe: (read: Int32, write: Int32) = {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return (-1, -1) }
    for end in ends {
        _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    return (ends[0], ends[1])
}()
