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

    /// True on the loop's own thread.
    static var isCurrent: Bool {
        pthread_getspecific(loopKey) != nil
    }

    private static let started: Void = {
        guard virInitialize() == 0 else { fatalError("libvirt cannot be initialised") }
        virSetErrorFunc(nil) { _, _ in }
        guard virEventRegisterDefaultImpl() == 0 else { fatalError("libvirt has no event loop") }
        startDetachedThread(argument: nil) { _ in EventLoop.run() }
    }()

    private static let loopKey: pthread_key_t = {
        var key = pthread_key_t()
        guard pthread_key_create(&key, nil) == 0 else { fatalError("no thread-specific data left") }
        return key
    }()

    private static func run() -> Never {
        pthread_setspecific(loopKey, UnsafeRawPointer(bitPattern: 1))
        while true {
            // A failing poll must not turn into a busy loop.
            if virEventRunDefaultImpl() < 0 { usleep(100_000) }
        }
    }
}
