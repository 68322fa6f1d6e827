// SPDX-License-Identifier: Apache-2.0
import Testing
import VctlClient

@Suite struct JSONTests {
    private func parse(_ text: String) throws -> JSONNode { try JSONNode(parsing: Array(text.utf8)) }

    @Test func valuesKeepOrderAndSpelling() throws {
        let node = try parse(#" {"b": 1.50, "a": [true, null, "x"], "c": -9223372036854775808} "#)
        #expect(node.members.map(\.name) == ["b", "a", "c"])
        #expect(node["b"]?.text == "1.50" && node["c"]?.integer == .min)
        #expect(node["a"]?.elements == [.bool(true), .null, .string("x")])
    }

    @Test(arguments: [
        (#""\u00e9\n\"\\\/""#, "é\n\"\\/"), (#""\ud83d\ude00""#, "😀"), (#""\ud83d""#, "\u{FFFD}"),
        (#""日""#, "日"),
        (#""\u0000""#, "\u{0}"), (#""\ud83dx""#, "\u{FFFD}x"),
    ])
    func escapes(_ text: String, _ value: String) throws {
        #expect(try parse(text) == .string(value))
    }

    @Test(arguments: [
        "", "{", "[1,]", "[1 2]", #"{"a"}"#, #"{"a":1,}"#, "tru", #""abc"#, #""\x""#, #""\u12""#, "1 2", "-",
        "[", "}",
        String(repeating: "[", count: 100_000),
    ])
    func nonsenseIsRefused(_ text: String) {
        #expect(throws: ClientError.self) { try parse(text) }
    }

    @Test func elementsKnowTheirBytes() throws {
        let bytes = Array(#" [ {"a":1} , 2 ] "#.utf8)
        let elements = try JSONNode.elements(of: bytes)
        #expect(elements.map { String(decoding: bytes[$0.range], as: UTF8.self) } == [#"{"a":1}"#, "2"])
        #expect(try JSONNode.elements(of: Array("[]".utf8)).isEmpty)
        #expect(throws: ClientError.self) { try JSONNode.elements(of: Array("{}".utf8)) }
    }
}
