// SPDX-License-Identifier: Apache-2.0
import Synchronization
import Testing

@testable import VctlCore

struct SharedReadingTests {
    /// Whoever asks gets what was read after the question, and twenty who ask at once cost two readings.
    @Test func nobodyGetsWhatIsOlderThanTheQuestion() async throws {
        let count = Mutex(0)
        let shared = SharedReading { () -> Int in
            let number = count.withLock { count in
                count += 1
                return count
            }
            try await Task.sleep(for: .milliseconds(50))
            return number
        }
        let first = Task { try await shared.value() }
        #expect(await eventually { count.withLock { $0 } == 1 })
        let values = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 { group.addTask { try await shared.value() } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(try await first.value == 1)
        #expect(Set(values) == [2])
        #expect(try await shared.value() == 3)
    }

    @Test func aFailureIsNotKept() async throws {
        struct Failed: Error {}
        let fails = Mutex(true)
        let shared = SharedReading { if fails.withLock({ $0 }) { throw Failed() } }
        await #expect(throws: Failed.self) { try await shared.value() }
        fails.withLock { $0 = false }
        try await shared.value()
    }
}
