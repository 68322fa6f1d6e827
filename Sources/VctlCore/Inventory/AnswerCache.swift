// SPDX-License-Identifier: Apache-2.0
import Synchronization
import VctlAPI

/// What was made from the inventory to be sent, kept until the next write: scripts and people ask far more
/// often than anything changes, and a thousand rows take a hundred times as long to make as to send again.
final class AnswerCache: Sendable {
    /// What was asked.
    enum Question: Hashable {
        case vms(ListQuery)
        case vm(Reference)
    }

    private struct State {
        /// How often the inventory was written.
        var writes: UInt64 = 0
        var answers: [Question: Rendered] = [:]
        /// Bytes of all answers.
        var size = 0

        mutating func clear() {
            answers = [:]
            size = 0
        }
    }

    private let state = Mutex(State())
    /// Bytes that are kept at most, and of one answer.
    private let capacity = 4 << 20
    private let longest = 1 << 20

    /// The kept answer, and which writes it has seen.
    func look(_ question: Question) -> (answer: Rendered?, writes: UInt64) {
        state.withLock { ($0.answers[question], $0.writes) }
    }

    /// Keeps what was read after so many writes, unless there were more since.
    func keep(_ answer: Rendered, for question: Question, after writes: UInt64) {
        let size = answer.json.utf8.count
        guard size <= longest else { return }
        state.withLock { state in
            guard state.writes == writes, state.answers[question] == nil else { return }
            if state.size + size > capacity { state.clear() }
            state.answers[question] = answer
            state.size += size
        }
    }

    /// The inventory has been written.
    func forget() {
        state.withLock { state in
            state.writes += 1
            state.clear()
        }
    }
}
