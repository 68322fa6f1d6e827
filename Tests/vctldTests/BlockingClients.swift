// SPDX-License-Identifier: Apache-2.0
import Dispatch
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

private final class Threads: TaskExecutor {
    static let shared = Threads()
    private let queue = DispatchQueue(label: "blocking-clients", attributes: .concurrent)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
