// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VctlClient

/// One object for people: a line for each member, a small table for a list of objects.
enum Record {
    /// - Parameter first: the members that stand at the top, in this order.
    static func text(_ node: JSONNode, first: [String] = []) -> String {
        let ranked = node.members.filter { $0.value != .null }.enumerated().map { index, member in
            (rank: first.firstIndex(of: member.name) ?? first.count + index, member: member)
        }
        let members = ranked.sorted { $0.rank < $1.rank }.map(\.member)
        let width = (members.map { Table.width(title($0.name)) }.max() ?? 0) + 2
        return members.map { lines($0, width: width) }.joined()
    }

    /// A member's value, coloured where it says how the object is.
    private static func tinted(_ node: JSONNode, _ name: String) -> String {
        let text = value(node, name)
        guard name == "state" || name == "status", Tint.isWanted(Standard.outIsTerminal) else { return text }
        return Tint(state: text)?.paint(text) ?? text
    }

    private static func lines(_ member: JSONNode.Member, width: Int) -> String {
        let name = title(member.name) + ":"
        let padded = name + String(repeating: " ", count: max(1, width - Table.width(name)))
        switch member.value {
        case .array(let elements) where elements.contains { !$0.members.isEmpty }:
            return name + "\n" + indented(table(elements))
        case .array(let elements):
            return padded
                + (elements.isEmpty ? "-" : elements.map { value($0, member.name) }.joined(separator: ", "))
                + "\n"
        case .object(let members) where members.contains { isNested($0.value) }:
            return name + "\n" + indented(text(member.value))
        default: return padded + tinted(member.value, member.name) + "\n"
        }
    }

    private static func isNested(_ node: JSONNode) -> Bool { !node.members.isEmpty || !node.elements.isEmpty }

    private static func table(_ elements: [JSONNode]) -> String {
        var keys: [String] = []
        for member in elements.flatMap(\.members) where !keys.contains(member.name) {
            keys.append(member.name)
        }
        let rows = elements.map { element in
            keys.map { key in element[key].map { value($0, key) } ?? "-" }
        }
        return Table.text(headings: keys.map { title($0).uppercased() }, rows: rows)
    }

    /// A member's value on one line.
    static func value(_ node: JSONNode, _ name: String) -> String {
        let text: String
        switch node {
        case .number where name.hasSuffix("Bytes"): text = node.integer.map { ByteCount.human($0) } ?? ""
        case .bool(let truth): text = truth ? "yes" : "no"
        case .string where name.hasSuffix("At"): text = Cell.time(node)
        case .array(let elements): text = elements.map { value($0, name) }.joined(separator: ", ")
        case .object where node["address"] != nil: text = node["address"]?.text ?? ""
        case .object(let members):
            text = members.map { "\($0.name)=\(value($0.value, $0.name))" }.joined(separator: " ")
        default: text = node.text ?? ""
        }
        return text.isEmpty ? "-" : shown(text, limit: 2000)
    }

    /// `memoryBytes` as `memory`, `createdAt` as `created`, `stateReason` as `state reason`.
    static func title(_ name: String) -> String {
        var base = name
        for suffix in ["Bytes", "At"] where base.hasSuffix(suffix) && base.count > suffix.count {
            base.removeLast(suffix.count)
        }
        var result = ""
        for character in base {
            if character.isUppercase {
                result += " " + character.lowercased()
            } else {
                result.append(character)
            }
        }
        return shown(result)
    }

    private static func indented(_ text: String) -> String {
        text.split(separator: "\n").map { "  \($0)\n" }.joined()
    }
}
