// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A counting semaphore, for threads that are not Swift's.
///
/// Not a condition variable: glibc's before 2.41 can lose a signal (its bug 25847), which happened here.
final class Semaphore: @unchecked Sendable {
    // SAFETY: a sem_t is made for use from several threads, and does not move in memory.
    private let raw = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() {
        sem_init(raw, 0, 0)
    }

    deinit {
        sem_destroy(raw)
        raw.deallocate()
    }

    func signal() {
        sem_post(raw)
    }

    func wait() {
        // A signal handler may interrupt the wait.
        while sem_wait(raw) != 0 {}
    }
}

/// A queue whose removals at the front are cheap.
struct FIFO<Element> {
    private var items: [Element?] = []
    private var head = 0

    var count: Int { items.count - head }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ element: Element) {
        items.append(element)
    }

    mutating func popFirst() -> Element? {
        guard head < items.count else { return nil }
        defer { advance() }
        return items[head]
    }

    mutating func removeAll() {
        items.removeAll()
        head = 0
    }

    private mutating func advance() {
        items[head] = nil
        head += 1
        guard head == items.count || head > 64 && head * 2 > items.count else { return }
        items.removeFirst(head)
        head = 0
    }
}

/// Starts a thread that nobody joins; ends the process when the system has no thread left.
func startDetachedThread(
    argument: UnsafeMutableRawPointer?,
    _ body: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?
) {
    var thread = pthread_t()
    var old = sigset_t()
    var blocked = sigset_t()
    sigemptyset(&blocked)
    // libvirt writes to sockets whose daemon may be gone: that shall be an error, not the end of the process.
    sigaddset(&blocked, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &blocked, &old)
    defer { pthread_sigmask(SIG_SETMASK, &old, nil) }
    guard pthread_create(&thread, nil, body, argument) == 0 else { fatalError("cannot start a thread") }
    pthread_detach(thread)
}
