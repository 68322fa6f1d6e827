// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import VctlCore

/// Answers that are kept.
struct AnswerCacheTests {
    private let cache = AnswerCache()

    @Test func aListIsKeptUntilTheNextWrite() {
        let query = AnswerCache.Question.vms(ListQuery())
        let before = cache.look(query)
        #expect(before.answer == nil)
        cache.keep(Rendered(json: "[1]"), for: query, after: before.writes)
        #expect(cache.look(query).answer?.json == "[1]")
        var other = ListQuery()
        other.labels = ["a": "b"]
        #expect(cache.look(.vms(other)).answer == nil)
        cache.forget()
        #expect(cache.look(query).answer == nil)
    }

    @Test func whatWasReadBeforeAWriteIsNotKept() {
        let query = AnswerCache.Question.vms(ListQuery())
        let before = cache.look(query)
        cache.forget()
        cache.keep(Rendered(json: "[1]"), for: query, after: before.writes)
        #expect(cache.look(query).answer == nil)
    }
}
