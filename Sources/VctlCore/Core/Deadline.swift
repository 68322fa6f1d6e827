// SPDX-License-Identifier: Apache-2.0

/// Work that is given up after a while.
enum Deadline {
    /// Runs `body`, and cancels it after `seconds`. `body` must end when it is cancelled; a blocking C call
    /// does not.
    static func run(seconds: Double, _ body: @escaping @Sendable () async -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await body() }
            group.addTask { try? await Task.sleep(for: .seconds(seconds)) }
            await group.next()
            group.cancelAll()
        }
    }
}
