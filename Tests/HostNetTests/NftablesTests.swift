// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import HostNet

/// The kernel's own table, in a network namespace of the test's own.
@Suite(.enabled(if: geteuid() == 0)) struct NftablesTests {
    private static let ours = NftablesTable(family: "inet", name: "ours")
    private static let body = "chain one {\n    drop\n}\nmap m {\n    type ifname : verdict\n}\n"

    @Test func everyTransactionCountsOne() throws {
        try OwnNetwork.run {
            let theirs = NftablesTable(family: "ip", name: "theirs")
            let first = try #require(Self.ours.generation())
            try Self.ours.replace(with: Self.body)
            #expect(Self.ours.generation() == first + 1)
            _ = try Self.ours.read()
            #expect(Self.ours.generation() == first + 1)
            try Self.ours.change([
                .addElements(["\"a\" : jump one", "\"b\" : drop"], map: "m"),
                .add("chain two {\n    accept\n}\n"), .flush(chain: "one"),
            ])
            #expect(Self.ours.generation() == first + 2)
            try theirs.replace(with: "chain c {\n}\n")
            #expect(Self.ours.generation() == first + 3)
            try theirs.replace(with: nil)
            #expect(Self.ours.generation() == first + 4)
        }
    }

    @Test func aChangeIsMadeWholeOrNotAtAll() throws {
        try OwnNetwork.run {
            try Self.ours.replace(with: Self.body)
            let before = try Self.ours.read()
            let count = Self.ours.generation()
            #expect(throws: HostNetError.self) {
                try Self.ours.change([.flush(chain: "one"), .removeMap("none")])
            }
            #expect(try Self.ours.read() == before && Self.ours.generation() == count)
            try Self.ours.change([
                .addElements(["\"a\" : jump one"], map: "m"), .removeElements(["\"a\""], map: "m"),
                .removeMap("m"), .flush(chain: "one"), .removeChain("one"),
            ])
            #expect(try Self.ours.read()?.contains("one") == false)
        }
    }

    @Test func otherAnswersSayNothing() {
        let request = GenerationMessage.request
        #expect(request.count == 20 && GenerationMessage.number(in: request) == nil)
        #expect(GenerationMessage.number(in: []) == nil)
        var answer = request
        answer[4] = 15
        #expect(GenerationMessage.number(in: answer) == nil, "without a number")
        #expect(GenerationMessage.number(in: answer + [8, 0, 1, 0, 1, 2, 3, 4]) == 0x0102_0304)
        #expect(GenerationMessage.number(in: answer + [5, 0, 2, 0, 9, 0, 0, 0, 8, 0, 1, 0, 0, 0, 0, 9]) == 9)
        #expect(GenerationMessage.number(in: answer + [0, 0, 2, 0, 8, 0, 1, 0, 0, 0, 0, 9]) == nil)
    }
}
