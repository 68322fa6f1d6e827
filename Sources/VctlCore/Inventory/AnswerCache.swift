// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Lists that were made from the inventory, kept until the next write: scripts and people ask far more often
/// than anything changes, and a thousand rows take a hundred times as long to make as to send again.
final class AnswerCache: Sendable {
    private struct State {
        /// How often the inventory was written.
        var writes: UInt64 = 0
        var answers: [ListQuery: Rendered] = [:]
    }

    private let state = Mutex(State())
    /// How many lists are kept at most, and how many bytes each may have.
    private let most = 8
    private let longest = 1 << 20

    /// The kept list, and which writes it has seen.
    func look(_ query: ListQuery) -> (answer: Rendered?, writes: UInt64) {
        state.withLock { ($0.answers[query], $0.writes) }
    }

    /// Keeps a list that was read after so many writes, unless there were more since.
    func keep(_ answer: Rendered, for query: ListQuery, after writes: UInt64) {
        guard answer.json.utf8.count <= longest else { return }
        state.withLock { state in
            guard state.writes == writes else { return }
            if state.answers.count >= most { state.answers = [:] }
            state.answers[query] = answer
        }
    }

    /// The inventory has been written.
    func forget() {
        state.withLock { state in
            state.writes += 1
            state.answers = [:]
        }
    }
}
