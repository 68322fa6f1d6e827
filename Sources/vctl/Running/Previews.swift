// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import VctlAPI
import VctlClient

/// What a dry run found.
enum Previews {
    static func print(_ replies: [Reply], _ format: Format, asArray: Bool) throws {
        let bytes = asArray ? Lists.joined(replies.map(\.bytes)) : replies[0].bytes
        switch format {
        case .json: Standard.out(bytes + [0x0A])
        case .yaml: Standard.out(YAML.text(try JSONNode(parsing: bytes)))
        case .name:
            Standard.out(try replies.map { shown(try $0.decoded(as: Preview.self).target) + "\n" }.joined())
        case .csv: Standard.out(csv(try replies.map { try $0.decoded() }))
        case .table: Standard.out(try replies.map { text(try $0.decoded()) }.joined())
        }
    }

    static func text(_ preview: Preview) -> String {
        for warning in preview.warnings { Standard.error("warning: \(shown(warning, limit: 1000))") }
        let head = "\(shown(preview.action)) \(shown(preview.target, limit: 300)) would"
        guard !preview.changes.isEmpty else { return head + " change nothing\n" }
        let changes = preview.changes.map { "  \(shown($0, limit: 1000))\n" }.joined()
        let diff = preview.xmlDiff?.split(separator: "\n").map { shown(String($0), limit: 1000) + "\n" } ?? []
        return head + ":\n" + changes + diff.joined()
    }

    private static func csv(_ previews: [Preview]) -> String {
        CSV.text(
            headings: ["action", "target", "change"],
            rows: previews.flatMap { preview in preview.changes.map { [preview.action, preview.target, $0] } }
        )
    }

    /// A preview of what the daemon has no dry run for, because it is one write.
    static func local(_ action: String, _ target: String, _ change: String) throws -> Reply {
        let preview = Preview(action: action, target: target, changes: [change])
        return Reply(head: ReplyHead.ok, bytes: [UInt8](try JSONEncoder().encode(preview)))
    }
}

extension ReplyHead {
    static let ok = ReplyHead(status: 200, headers: [])
}
