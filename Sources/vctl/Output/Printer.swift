// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VctlClient

/// Prints objects of one kind in the asked format, in one write.
struct Printer {
    let noun: Noun
    let format: Format
    let columns: [Column]
    /// Whether `--columns` was given, so that it cuts down JSON and YAML too.
    let cutsFields: Bool

    init(_ noun: Noun, _ options: OutputOptions) throws {
        try self.init(noun, options.format, columns: options.columns)
    }

    init(_ noun: Noun, _ format: Format, columns: String? = nil) throws {
        self.noun = noun
        self.format = format
        self.columns = try noun.chosen(columns)
        cutsFields = columns != nil
    }

    /// The members that a list must have, as `?fields=` takes them; `nil` for all.
    func fields(and needed: [String] = []) -> String? {
        switch format {
        case .name: return unique([noun.nameField] + needed)
        case .table, .csv: return unique(columns.map(\.field) + needed)
        case .json, .yaml: return cutsFields ? unique(columns.map(\.field) + needed) : nil
        }
    }

    private func unique(_ fields: [String]) -> String {
        var seen: Set<String> = []
        return fields.filter { seen.insert($0).inserted }.joined(separator: ",")
    }

    /// JSON as it came.
    func raw(_ bytes: [UInt8]) { Standard.out(ended(bytes)) }

    /// A list.
    func rows(_ rows: [JSONNode], raw: () -> [UInt8]) {
        switch format {
        case .json: Standard.out(ended(raw()))
        case .yaml: Standard.out(YAML.text(.array(rows)))
        case .name: Standard.out(names(rows))
        case .csv:
            Standard.out(
                CSV.text(headings: columns.map(\.key), rows: rows.map { row in columns.map { $0.csv(row) } }))
        case .table: Standard.out(table(rows))
        }
    }

    /// Objects that were asked for one by one: one stands alone, several are an array.
    /// - Parameter detailed: a table shows everything of each, not a line.
    func objects(_ replies: [[UInt8]], asArray: Bool, detailed: Bool) throws {
        guard asArray || !replies.isEmpty else { return }
        let nodes = format == .json ? [] : try replies.map { try JSONNode(parsing: $0) }
        if format == .table, detailed {
            Standard.out(nodes.map { Record.text($0, first: top) }.joined(separator: "\n"))
        } else if format == .yaml, !asArray {
            Standard.out(YAML.text(nodes[0]))
        } else if format == .json, !asArray {
            Standard.out(ended(replies[0]))
        } else {
            rows(nodes) { Lists.joined(replies) }
        }
    }

    /// What a detailed view begins with.
    private var top: [String] { [noun.nameField, "id", "state", "status"] + noun.columns.map(\.field) }

    /// A list as a table.
    func table(_ rows: [JSONNode]) -> String {
        let paint: Table.Paint = { column, text in
            self.columns[column].isState ? Tint(state: text) : nil
        }
        return Table.text(
            headings: columns.map(\.title), rows: rows.map { row in columns.map { $0.cell(row) } },
            rightAligned: columns.map(\.isNumber), paint: Tint.isWanted(Standard.outIsTerminal) ? paint : nil)
    }

    private func names(_ rows: [JSONNode]) -> String {
        rows.map { VctlAPI.shown($0[noun.nameField]?.text ?? "", limit: 300) + "\n" }.joined()
    }

    private func ended(_ bytes: [UInt8]) -> [UInt8] { bytes.last == 0x0A ? bytes : bytes + [0x0A] }
}
