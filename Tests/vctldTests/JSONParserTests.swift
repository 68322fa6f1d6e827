// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import vctld

@Suite struct JSONParserTests {
    private func error(_ text: String) throws -> JSONSyntaxError {
        try #require(throws: JSONSyntaxError.self) { _ = try JSONParser.parse(Array(text.utf8)) }
    }

    @Test(arguments: [
        "", " ", "{", "[1,]", "{\"a\":1,}", "{a:1}", "01", "1.", "-", "1e", "tru", "nul", "\"", "\"\\x\"",
        "\"\u{1}\"",
        "{} {}", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\u0000\"", "'a'", "{\"a\" 1}", "[1 2]", "NaN", "+1",
        "\"\\u12g4\"",
    ])
    func refuses(_ text: String) throws { _ = try error(text) }

    @Test func saysWhere() throws {
        let error = try error("{\n  \"a\": 1,\n  \"a\": 2}")
        #expect(error.line == 3)
        #expect(error.column == 3)
        #expect(error.problem.contains("twice"))
    }

    @Test func refusesInvalidUTF8() {
        #expect(throws: JSONSyntaxError.self) { _ = try JSONParser.parse([0x22, 0xC3, 0x28, 0x22]) }
        #expect(throws: JSONSyntaxError.self) { _ = try JSONParser.parse([0xFF]) }
    }

    @Test func refusesDeepNesting() throws {
        let deep = { (levels: Int) in
            String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        }
        _ = try JSONParser.parse(Array(deep(JSONParser.maximumDepth).utf8))
        #expect(try error(deep(JSONParser.maximumDepth + 2)).problem.contains("deeper"))
        _ = try error(String(repeating: "[", count: 1_000_000))
        _ = try error(String(repeating: "{\"a\":", count: 100_000))
    }

    @Test func unescapes() throws {
        guard case .string(let text) = try JSONParser.parse(Array(#""a\n\"\\\/\u00e9\ud83d\ude00é""#.utf8))
        else {
            Issue.record("no string")
            return
        }
        #expect(text == "a\n\"\\/é😀é")
    }

    @Test func keepsTheDigitsOfNumbers() throws {
        for digits in ["0", "-0", "12345678901234567890123", "1.5e+10", "-1E-2"] {
            guard case .number(let kept) = try JSONParser.parse(Array(" \(digits) ".utf8)) else {
                Issue.record("\(digits) is no number")
                continue
            }
            #expect(kept == digits)
        }
    }
}
