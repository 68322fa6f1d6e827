// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Runs tests on threads of their own: their clients block, and the server under test needs the shared few.
struct BlockingClients: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(Threads.shared) { try await function() }
    }
}

extension Trait where Self == BlockingClients {
    /// See ``BlockingClients``.
    static var blockingClients: BlockingClients { BlockingClients() }
}

/// A thread for each job: a queue's pool grows by one thread a second once all of its threads block.
private final class Threads: TaskExecutor {
    static let shared = Threads()

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        Thread.detachNewThread { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
