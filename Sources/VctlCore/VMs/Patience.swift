// SPDX-License-Identifier: Apache-2.0

/// Waits for an answer for a while only.
enum Patience {
    /// - Returns: `nil` when the time has passed; `body` is cancelled then, and ends when it likes.
    static func of<T: Sendable>(_ time: Duration, _ body: @escaping @Sendable () async -> T) async -> T? {
        let (answers, continuation) = AsyncStream.makeStream(of: T?.self)
        let work = Task { continuation.yield(await body()) }
        let timer = Task {
            try await Task.sleep(for: time)
            continuation.yield(nil)
        }
        defer {
            timer.cancel()
            work.cancel()
        }
        for await answer in answers { return answer }
        return nil
    }
}
