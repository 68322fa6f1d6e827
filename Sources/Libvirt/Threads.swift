// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A mutex with a condition, for threads that are not Swift's.
final class Gate: @unchecked Sendable {
    // SAFETY: both objects are made for use from several threads, and do not move in memory.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func lock() { pthread_mutex_lock(mutex) }
    func unlock() { pthread_mutex_unlock(mutex) }
    func wait() { pthread_cond_wait(condition, mutex) }

    func unlockAndWakeOne() {
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
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
    guard pthread_create(&thread, nil, body, argument) == 0 else { fatalError("cannot start a thread") }
    pthread_detach(thread)
}
