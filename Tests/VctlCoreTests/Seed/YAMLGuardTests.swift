// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import VctlCore

struct YAMLGuardTests {
    private func problem(_ text: String) -> String? { YAMLGuard.problem(with: text, root: .mapping) }

    @Test(arguments: [
        "a: 1", "users:\n  - name: x\n    keys: [a, b]\n", "{a: {b: [1, 2]}}",
        "a: |\n  *not an alias\n  &nor an anchor\n",
        "base: &b {x: 1}\nother: *b\nthird:\n  <<: *b\n", "---\na: 1\n...\n", "a: \"\\u00e9\"\n",
        "? [x, y]\n: z\n",
    ])
    func soundDocumentsPass(_ text: String) { #expect(problem(text) == nil) }

    @Test func billionLaughsAreCounted() {
        var text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
        for level in 1...9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(problem(text)?.hasSuffix("with its aliases followed it has more than 200000 values") == true)
        #expect(problem(text)?.hasPrefix("line 5, ") == true || problem(text)?.hasPrefix("line 6, ") == true)
    }

    /// Yams hashes keys, which follows their aliases.
    @Test func bombInAKeyIsCounted() {
        var text = "a0: &a0 [x, x]\n"
        for level in 1...40 { text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        #expect(problem(text + "? *a40\n: x\n? *a39\n: y\n")?.contains("more than 200000") == true)
    }

    @Test func weightsNeverOverflow() {
        var text = "a0: &a0 [x, x]\n"
        for level in 1...500 { text += "a\(level): &a\(level) {k: *a\(level - 1), l: *a\(level - 1)}\n" }
        #expect(problem(text)?.contains("more than 200000") == true)
    }

    @Test func aliasInsideItsOwnAnchorIsRefused() {
        #expect(problem("a: &a [*a]")?.contains("is no anchor that was finished before") == true)
        #expect(problem("a: *b")?.contains("*b is no anchor") == true)
    }

    @Test(arguments: ["[", "{a: ", "- "]) func deepNestingIsRefused(_ unit: String) {
        let text = "a:\n  " + String(repeating: unit, count: 100_000)
        // libyaml has a limit of its own, and reads ahead: its words come first for what may still be a key.
        #expect(problem(text)?.lowercased().contains("nest") == true)
    }

    @Test func largeFlatFileIsRead() {
        let line = "  - some text that a person might have written here\n"
        let text = "list:\n" + String(repeating: line, count: (1 << 20) / line.utf8.count - 1)
        #expect(problem(text) == nil)
        #expect(problem("text: \"" + String(repeating: "x", count: 1 << 20) + "\"") == nil)
    }

    @Test(arguments: [
        ("a: [1, 2\nb: 3", 2), ("a: 1\n\tb: 2", 2), ("a: 'x", 1), ("a: b: c", 1), ("a: 1\n b: 2", 2),
        ("%", 1),
    ])
    func syntaxErrorsHaveAPlace(_ text: String, _ line: Int) {
        #expect(problem(text)?.hasPrefix("line ") == true)
        let found = problem(text)?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0
        #expect((line...line + 1).contains(found))
    }

    @Test func rootAndNumberOfDocumentsAreChecked() {
        #expect(problem("- a")?.contains("must be a mapping") == true)
        #expect(problem("just text")?.contains("must be a mapping") == true)
        #expect(problem("") == "it holds no YAML document")
        #expect(problem("# a comment\n") == "it holds no YAML document")
        #expect(problem("a: 1\n---\nb: 2\n")?.contains("second document") == true)
        #expect(YAMLGuard.problem(with: "- a", root: .sequence) == nil)
        #expect(YAMLGuard.problem(with: "a: 1", root: .sequence)?.contains("must be a list") == true)
    }

    @Test func bytesThatAreNoTextAreRefused() { #expect(problem("a: \u{7}") != nil) }
}
