// SPDX-License-Identifier: Apache-2.0
import Testing
import VctlAPI

@testable import VctlCore

/// When guests are looked at for their addresses.
struct AddressScheduleTests {
    /// How often each is looked at in so many rounds, three in each.
    private func looks(_ known: [ObjectID: Bool], rounds: Int) -> [ObjectID: Int] {
        var schedule = AddressWatcher.Schedule()
        var counts: [ObjectID: Int] = [:]
        for _ in 0..<rounds {
            schedule.round += 1
            for id in schedule.due(known).prefix(3) {
                schedule.looked(at: id)
                counts[id, default: 0] += 1
            }
        }
        return counts
    }

    @Test func whoIsKnownIsLookedAtEveryMinuteHoweverManyThereAre() {
        let ids = (0..<100).map { _ in ObjectID() }
        let counts = looks(Dictionary(uniqueKeysWithValues: ids.map { ($0, true) }), rounds: 600)
        #expect(ids.allSatisfy { (9...11).contains(counts[$0] ?? 0) })
    }

    @Test func whoIsNotKnownIsLookedAtOften() {
        let (new, old) = (ObjectID(), ObjectID())
        #expect(looks([new: false, old: true], rounds: 120) == [new: 120, old: 2])
        #expect(looks([new: false], rounds: 240)[new] == 124)
    }

    @Test func nobodyWaitsForEver() {
        let ids = (0..<10).map { _ in ObjectID() }
        let counts = looks(Dictionary(uniqueKeysWithValues: ids.map { ($0, false) }), rounds: 100)
        #expect(ids.allSatisfy { (counts[$0] ?? 0) >= 25 })
    }
}
