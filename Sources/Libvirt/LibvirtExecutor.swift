// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

/// A few threads of our own on which libvirt's blocking calls run, so that they never take one of
/// the threads of Swift's cooperative pool.
///
/// Every call of this module goes there by itself. Whoever makes many calls in a row enters once, with
/// `withTaskExecutorPreference(LibvirtExecutor.shared) { … }`; the calls inside then run without a hop.
public final class LibvirtExecutor: TaskExecutor, Sendable {
    /// Four threads for calls that take milliseconds.
    ///
    /// libvirtd serves five requests of one connection at a time.
    public static let shared = LibvirtExecutor(threads: 4)
    /// Two threads for calls that may take minutes; use a connection of its own with it.
    public static let long = LibvirtExecutor(threads: 2)

    /// Eight threads for questions to guests, which may hang; use connections of their own with it.
    public static let agents = LibvirtExecutor(threads: 8)

    /// As many threads as there are calls at the same time, up to 128: typing on a console waits for libvirtd
    /// as long as the guest takes nothing. Use connections of their own with it.
    public static let consoles = LibvirtExecutor(threads: 1, most: 128)

    /// As many threads as there are calls at the same time, up to 32: a call about storage waits for its
    /// server. Use connections of their own with it.
    public static let storage = LibvirtExecutor(threads: 2, most: 32)

    private enum Work: Sendable {
        case job(UnownedJob)
        case block(@Sendable () -> Void)
    }

    private let available = Semaphore()
    private let queue: Mutex<Queue>
    private let most: Int

    private struct Queue {
        var work = FIFO<Work>()
        var threads: Int
        var busy = 0
    }

    /// - Parameter most: so many threads there may be where all of the first ones are busy.
    init(threads: Int, most: Int = 0) {
        self.most = most
        queue = Mutex(Queue(threads: threads))
        for _ in 0..<threads { startThread() }
    }

    /// Called by the Swift runtime.
    public func enqueue(_ job: consuming ExecutorJob) {
        push(.job(UnownedJob(job)))
    }

    /// Runs `body` on a thread of this executor: at once if we are on one, else after one hop.
    ///
    /// A caller on `long` stays there, whatever executor it asks for: it may wait, the others may not.
    public func run<T: Sendable>(_ body: @Sendable () throws -> T) async throws -> T {
        if let current = Self.current, current === self || current === Self.long { return try body() }
        return try await withTaskExecutorPreference(self) { try body() }
    }

    /// The executor whose thread we are on, if any.
    public static var current: LibvirtExecutor? {
        pthread_getspecific(threadKey).map {
            Unmanaged<LibvirtExecutor>.fromOpaque($0).takeUnretainedValue()
        }
    }

    /// Runs `block` later, for the clean-up of a `deinit` that must not block its thread.
    func later(_ block: @escaping @Sendable () -> Void) {
        push(.block(block))
    }

    private func push(_ work: Work) {
        let isShort = queue.withLock { queue in
            queue.work.append(work)
            guard queue.threads < most, queue.threads - queue.busy < queue.work.count else { return false }
            queue.threads += 1
            return true
        }
        if isShort { startThread() }
        available.signal()
    }

    private func pop() -> Work {
        while true {
            available.wait()
            let work = queue.withLock { queue in
                let work = queue.work.popFirst()
                if work != nil { queue.busy += 1 }
                return work
            }
            if let work { return work }
        }
    }

    private func startThread() {
        // The executors live as long as the process: the thread's reference is never given back.
        let this = Unmanaged.passRetained(self).toOpaque()
        startDetachedThread(argument: this) { argument in
            guard let argument else { return nil }
            pthread_setspecific(threadKey, argument)
            Unmanaged<LibvirtExecutor>.fromOpaque(argument).takeUnretainedValue().serve()
        }
    }

    private func serve() -> Never {
        while true {
            switch pop() {
            case .job(let job): job.runSynchronously(on: asUnownedTaskExecutor())
            case .block(let block): block()
            }
            queue.withLock { $0.busy -= 1 }
        }
    }
}

private let threadKey: pthread_key_t = {
    var key = pthread_key_t()
    guard pthread_key_create(&key, nil) == 0 else { fatalError("no thread-specific data left") }
    return key
}()
