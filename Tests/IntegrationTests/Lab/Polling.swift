// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Synchronization

/// Something that was awaited and did not come.
struct NeverHappened: Error, CustomStringConvertible {
    var what: String
    var seconds: Double
    var description: String { "not within \(seconds) s: \(what)" }
}

/// Looks again and again until something holds.
/// - Throws: ``NeverHappened`` after so many seconds, and what `body` throws.
func eventually(_ what: String, seconds: Double = 60, _ body: () throws -> Bool) throws {
    let end = Clock.now + seconds
    while try !body() {
        guard Clock.now < end else { throw NeverHappened(what: what, seconds: seconds) }
        usleep(100_000)
    }
}

/// Runs `body` for 0 ..< count, each on a thread of its own, and gives the results in order. The threads of
/// Swift concurrency are as few as the cores, and each of these blocks.
func atOnce<T: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) throws -> T) throws -> [T] {
    let results = Mutex<[Int: Result<T, any Error>]>([:])
    let done = DispatchGroup()
    let shared = Shared(results)
    for index in 0..<count {
        done.enter()
        Thread.detachNewThread {
            let result = Result { try body(index) }
            shared.value.withLock { $0[index] = result }
            done.leave()
        }
    }
    done.wait()
    let all = shared.value.withLock { $0 }
    return try (0..<count).map { index in try all[index]!.get() }
}

/// Lets threads share what cannot be copied.
private final class Shared<T: Sendable>: Sendable {
    let value: Mutex<[Int: Result<T, any Error>]>
    init(_ value: consuming Mutex<[Int: Result<T, any Error>]>) { self.value = value }
}
