// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Testing

@testable import vctl

/// Whatever the documents and the help texts say that one may type is a command line.
@Suite struct ExampleTests {
    private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The lines of Markdown documents that run `vctl`.
    private static func documented() throws -> [String] {
        try ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].flatMap { name in
            let text = try String(contentsOf: repository.appendingPathComponent(name), encoding: .utf8)
            return text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
                .filter { $0.hasPrefix("vctl ") }
        }
    }

    /// The lines of all commands' discussions that begin with `vctl`.
    private static func discussed(_ command: any ParsableCommand.Type = Vctl.self) -> [String] {
        let text = command.configuration.discussion
        let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        return lines.filter { $0.hasPrefix("vctl ") }
            + CommandTree.children(of: command).flatMap { discussed($0) }
    }

    /// The words of the first command of a line, as a shell splits them.
    static func words(_ line: String) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for character in line {
            if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character.isWhitespace {
                if let whole = word { words.append(whole) }
                word = nil
            } else if "|>;&".contains(character) || (character == "#" && word == nil) {
                break
            } else {
                word = (word ?? "") + String(character)
            }
        }
        return words + (word.map { [$0] } ?? [])
    }

    @Test func theyAreFound() throws {
        #expect(try Self.documented().count > 20)
        #expect(Self.discussed().count > 8)
        #expect(Self.words("vctl a 'b c' --d=\"e'f\" > x # y") == ["vctl", "a", "b c", "--d=e'f"])
    }

    /// What libvirt made of a definition for one run is none to go on with.
    @Test func aDefinitionThatIsKeptIsTheInactiveOne() throws {
        let kept = try (Self.documented() + Self.discussed()).filter {
            $0.hasPrefix("vctl vm xml") && $0.contains(">")
        }
        #expect(kept.count > 1 && kept.allSatisfy { Self.words($0).contains("--inactive") }, "\(kept)")
    }

    @Test(arguments: [("README.md", "It has the nouns", "nothing of"), ("CHANGELOG.md", "the nouns", ";")])
    func everyNounIsListed(_ name: String, _ begin: String, _ end: String) throws {
        let url = Self.repository.appendingPathComponent(name)
        let text = try String(contentsOf: url, encoding: .utf8)
        let first = try #require(text.range(of: begin))
        let last = try #require(text.range(of: end, range: first.upperBound..<text.endIndex))
        let list = text[first.upperBound..<last.lowerBound]
        let nouns = CommandTree.children(of: Vctl.self).filter { !CommandTree.children(of: $0).isEmpty }
        #expect(nouns.count > 7)
        for noun in nouns.map({ CommandTree.name(of: $0) }) where noun != "completion" {
            #expect(list.contains("`\(noun)`"), "\(name) does not name \(noun)")
        }
    }

    @Test(arguments: try documented() + discussed())
    func itIsACommand(_ line: String) {
        let arguments = LeadingOptions.moved(Array(Self.words(line).dropFirst()))
        #expect(throws: Never.self) { try Vctl.parseAsRoot(arguments) }
    }
}
