// SPDX-License-Identifier: Apache-2.0
import Testing
import VctlAPI

@testable import vctl

struct ConsoleTests {
    private func safe(_ text: String, inPieces: Bool = false) -> String {
        var filter = TerminalFilter()
        let bytes = Array(text.utf8)
        let pieces = inPieces ? bytes.map { [$0] } : [bytes]
        let result = pieces.flatMap { filter.pass($0) } + filter.finish()
        return String(decoding: result, as: UTF8.self)
    }

    @Test(arguments: [
        ("plain\r\n\ttext ü €😀", "plain\r\n\ttext ü €😀"),
        ("\u{1B}[1;31mred\u{1B}[0m \u{1B}[m", "\u{1B}[1;31mred\u{1B}[0m \u{1B}[m"),
        ("a\u{1B}]0;title\u{07}b", "a^[]0;title^Gb"),
        ("\u{1B}[6n", "^[[6n"),
        ("\u{1B}[2J\u{1B}[H", "^[[2J^[[H"),
        ("\u{1B}c\u{1B}P1$r\u{1B}\\", "^[c^[P1$r^[\\"),
        ("\u{08}\u{7F}\u{00}", "^H^?^@"),
        ("\u{1B}\u{1B}[31m", "^[\u{1B}[31m"),
        ("\u{1B}[31", "^[[31"),
        ("\u{1B}[3\n1m", "^[[3\n1m"),
        ("\u{9B}6n\u{85}", "\u{FFFD}6n\u{FFFD}"),
        ("\u{1B}[>4;1m", "^[[>4;1m"),
    ])
    func aLogDoesNotDriveTheTerminal(text: String, shown: String) {
        #expect(safe(text) == shown + "\u{1B}[0m")
        #expect(safe(text, inPieces: true) == shown + "\u{1B}[0m")
    }

    @Test func bytesThatAreNoTextAreMarked() {
        var filter = TerminalFilter()
        let bytes: [UInt8] = [0x9B, 0x36, 0xC3, 0x41, 0xE2, 0x82, 0xFF, 0x42]
        let text = String(decoding: filter.pass(bytes), as: UTF8.self)
        #expect(text.filter { $0 != "\u{FFFD}" } == "6AB" && text.contains("\u{FFFD}"))
        #expect(!text.unicodeScalars.contains { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) })
    }

    @Test(
        arguments: [
            ("^]", 0x1D, "Ctrl-]"), ("^a", 0x01, "Ctrl-A"), ("^A", 0x01, "Ctrl-A"), ("~", 0x7E, "~"),
            ("none", nil, "closing the terminal"), ("^^", 0x1E, "Ctrl-^"), ("^", 0x5E, "^"),
        ] as [(String, UInt8?, String)])
    func escapeKeys(text: String, byte: UInt8?, name: String) throws {
        let key = try EscapeKey(text)
        #expect(key.byte == byte && key.name == name)
    }
}
