// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VctlClient

/// One column of a table.
struct Column: Sendable {
    /// How `--columns` names it, and the heading in CSV.
    let key: String
    /// The heading in tables.
    let title: String
    /// The member of the object that it needs.
    let field: String
    /// How the member looks to people.
    let shown: @Sendable (JSONNode) -> String
    /// How it looks to programs.
    let plain: @Sendable (JSONNode) -> String
    /// Numbers stand at the right.
    let isNumber: Bool
    /// The most characters that people are shown.
    let limit: Int

    init(
        _ key: String, _ title: String? = nil, field: String? = nil, number: Bool = false, limit: Int = 200,
        shown: (@Sendable (JSONNode) -> String)? = nil,
        plain: @escaping @Sendable (JSONNode) -> String = Cell.plain
    ) {
        self.key = key
        self.title = title ?? key.uppercased()
        self.field = field ?? key
        self.plain = plain
        self.shown = shown ?? plain
        isNumber = number
        self.limit = limit
    }

    /// Whether it says how the object is, so that a colour may say it again.
    var isState: Bool { ["state", "status", "outcome"].contains(key) }

    /// A number of bytes.
    static func bytes(_ key: String, _ title: String) -> Column {
        Column(key, title, number: true) { $0.integer.map { ByteCount.human($0) } ?? "" }
    }

    /// A number of bytes in a second.
    static func rate(_ key: String, _ title: String) -> Column {
        Column(key, title, number: true) { $0.integer.map { ByteCount.human($0) + "/s" } ?? "" }
    }

    /// The cell of a row for people, fit for a terminal.
    func cell(_ row: JSONNode) -> String {
        guard let value = row[field] else { return "-" }
        let text = shown(value)
        if text.isEmpty { return "-" }
        // Nearly every cell is short and plain; a thousand rows have to be quick.
        let isPlain = text.utf8.count <= limit && text.utf8.allSatisfy { (0x20..<0x7F).contains($0) }
        return isPlain ? text : VctlAPI.shown(text, limit: limit)
    }

    /// The cell of a row for programs.
    func csv(_ row: JSONNode) -> String { row[field].map(plain) ?? "" }
}

/// How values become text.
enum Cell {
    /// Scalars as they are, lists and maps joined by semicolons.
    @Sendable static func plain(_ node: JSONNode) -> String {
        switch node {
        case .array(let elements): elements.map(plain).joined(separator: ";")
        case .object(let members): members.map { "\($0.name)=\(plain($0.value))" }.joined(separator: ";")
        default: node.text ?? ""
        }
    }

    /// A number with one digit behind the point, which JSON leaves out where it is 0.
    @Sendable static func tenths(_ node: JSONNode) -> String {
        let text = plain(node)
        return text.contains(".") ? text : text + ".0"
    }

    @Sendable static func list(_ node: JSONNode) -> String { node.elements.map(plain).joined(separator: ",") }

    @Sendable static func labels(_ node: JSONNode) -> String {
        node.members.map { "\($0.name)=\(plain($0.value))" }.joined(separator: ",")
    }

    /// The names of an object's members.
    @Sendable static func keys(_ node: JSONNode) -> String { node.members.map(\.name).joined(separator: ",") }

    /// The addresses of one NIC.
    @Sendable static func ownAddresses(_ list: JSONNode) -> String {
        list.elements.compactMap { $0["address"]?.text }.joined(separator: ",")
    }

    /// Whether a cable is in.
    @Sendable static func upOrDown(_ node: JSONNode) -> String { node.truth == false ? "down" : "up" }

    /// `10 Mbit/s`, or `10 Mbit/s, peak 20 Mbit/s, burst 64 KiB`.
    @Sendable static func rateLimit(_ node: JSONNode) -> String {
        let rate = { (name: String) in
            node[name]?.integer.flatMap { try? BitRate(checking: Int($0)) }?.description
        }
        let peak = rate("peakBitsPerSecond").map { "peak \($0)" }
        let burst = node["burstBytes"]?.integer.map { "burst \(ByteCount.human($0))" }
        return [rate("averageBitsPerSecond"), peak, burst].compactMap(\.self).joined(separator: ", ")
    }

    /// Bits per second.
    @Sendable static func averageRate(_ node: JSONNode) -> String {
        node["averageBitsPerSecond"]?.integer.map { "\($0)" } ?? ""
    }

    /// A member of an object.
    static func setting(_ name: String) -> @Sendable (JSONNode) -> String {
        { node in node[name].map { $0.text ?? $0.integer.map { "\($0)" } ?? "" } ?? "" }
    }

    /// A member that is a number of bytes.
    static func bytes(_ name: String) -> @Sendable (JSONNode) -> String {
        { node in node[name]?.integer.map { ByteCount.human($0) } ?? "" }
    }

    @Sendable static func yes(_ node: JSONNode) -> String { node.truth == true ? "yes" : "no" }

    /// `2026-01-31T08:15:00.250Z` as `2026-01-31 08:15:00`, in UTC.
    @Sendable static func time(_ node: JSONNode) -> String {
        let text = node.text ?? ""
        let parts = text.split(separator: "T")
        return parts.count == 2 ? "\(parts[0]) \(parts[1].prefix(8))" : text
    }

    /// `vm/web1`.
    @Sendable static func reference(_ node: JSONNode) -> String {
        guard let name = node["name"]?.text else { return node["id"]?.text ?? "" }
        return "\(node["kind"]?.text ?? "?")/\(name)"
    }

    @Sendable static func references(_ node: JSONNode) -> String {
        node.elements.map(reference).joined(separator: ",")
    }

    @Sendable static func user(_ node: JSONNode) -> String {
        node["user"]?.text ?? node["uid"]?.text.map { "uid \($0)" } ?? ""
    }

    /// The addresses of all NICs.
    static func addresses(_ nics: JSONNode) -> [String] {
        nics.elements.flatMap { $0["addresses"]?.elements ?? [] }.compactMap { $0["address"]?.text }
    }

    @Sendable static func progress(_ node: JSONNode) -> String {
        let phase = node["phase"]?.text ?? ""
        guard let done = node["done"]?.integer else { return phase }
        guard let total = node["total"]?.integer, total > 0 else { return phase }
        return "\(phase) \(max(0, min(100, Int(Double(done) / Double(total) * 100))))%"
    }
}
