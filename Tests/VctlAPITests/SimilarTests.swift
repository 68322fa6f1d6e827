// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import VctlAPI

@Suite struct SimilarTests {
    @Test(arguments: [
        ("web", "web1", 1), ("wbe1", "web1", 1), ("wev1", "web1", 1), ("kitten", "sitting", 3), ("", "ab", 2),
        ("same", "same", 0),
    ])
    func distances(_ left: String, _ right: String, _ distance: Int) {
        #expect(Similar.distance(Array(left.utf8), Array(right.utf8)) == distance)
        #expect(Similar.distance(Array(right.utf8), Array(left.utf8)) == distance)
    }

    @Test func theNearestComeFirst() {
        let known = ["web1", "web2", "webserver", "db1", "proxy"]
        #expect(Similar.words(to: "wbe1", among: known) == ["web1"])
        #expect(Similar.words(to: "WEB", among: known, limit: 2) == ["web1", "web2"])
        #expect(Similar.words(to: "x", among: known).isEmpty)
        #expect(Similar.words(to: "", among: known).isEmpty)
        #expect(Similar.words(to: "mail", among: known).isEmpty)
    }
}
