// SPDX-License-Identifier: Apache-2.0
import CLibvirt
import Glibc

/// libvirt's event loop: one thread, started with the first connection, for the life of the process.
///
/// libvirt's poll has a wake-up pipe of its own, so that the loop needs no timer and costs nothing when idle.
/// Callbacks run on this thread: they copy, hand over and return, and never make a blocking call.
public enum EventLoop {
    /// Initialises libvirt, silences its printing of errors to stderr, and starts the loop; once.
    public static func start() {
        _ = started
    }

    private static let started: Void = {
        guard virInitialize() == 0 else { fatalError("libvirt cannot be initialised") }
        virSetErrorFunc(nil) { _, _ in }
        guard virEventRegisterDefaultImpl() == 0 else { fatalError("libvirt has no event loop") }
        startDetachedThread(argument: nil) { _ in EventLoop.run() }
    }()

    private static func run() -> Never {
        while true {
            // A failing poll must not turn into a busy loop.
            if virEventRunDefaultImpl() < 0 { usleep(100_000) }
        }
    }
}
