// SPDX-License-Identifier: Apache-2.0
import Foundation
import VirtXML

/// The files in Fixtures/.
enum Fixture {
    static let all: [String] = {
        let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        return (names ?? []).filter { $0.hasSuffix(".xml") }.sorted()
    }()

    private static let folder = Bundle.module.resourceURL!.appendingPathComponent("Fixtures")

    static func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: folder.appendingPathComponent(name)), as: UTF8.self)
    }

    static func domain(_ name: String) throws -> DomainXML { try DomainXML(parsing: text(name)) }
}

/// The lines that went (`-`) and came (`+`) from one text to another.
func changedLines(_ old: String, _ new: String) -> [String] {
    let (before, after) = (old.components(separatedBy: "\n"), new.components(separatedBy: "\n"))
    let difference = after.difference(from: before)
    return difference.removals.map { line($0, "-") } + difference.insertions.map { line($0, "+") }
}

private func line(_ change: CollectionDifference<String>.Change, _ sign: String) -> String {
    switch change {
    case .insert(_, let text, _), .remove(_, let text, _): sign + text
    }
}

/// Numbers that are the same in every run with the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }
}
