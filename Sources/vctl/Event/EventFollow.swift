// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl event follow`.
struct EventFollow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "follow", abstract: "Print events as they happen; json prints one object a line.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var timeout: TimeoutOption

    @Option(
        name: .customLong("since"), parsing: .unconditional,
        help: .init("Begin with stored ones after this sequence number.", valueName: "n"),
        transform: Parse.count)
    var since: Int64?

    @Option(
        name: .customLong("limit"), parsing: .unconditional,
        help: .init("End after so many.", valueName: "n"), transform: Parse.positive)
    var limit: Int?

    func run() throws {
        let printer = try Printer(.event, output)
        let lines = EventLines(printer)
        let stream = connect.client().events(after: since, until: timeout.deadline)
        lines.begin()
        var count = 0
        while limit.map({ count < $0 }) ?? true {
            try lines.print(try stream.next().data)
            count += 1
        }
    }
}

/// Events one by one: their widths cannot be known beforehand.
struct EventLines {
    private let printer: Printer
    private static let widths = ["sequence": 8, "time": 19, "type": 20, "subject": 24, "origin": 7]

    init(_ printer: Printer) { self.printer = printer }

    func begin() {
        switch printer.format {
        case .table: Standard.out(line(printer.columns.map(\.title)))
        case .csv: Standard.out(CSV.text(headings: printer.columns.map(\.key), rows: []))
        case .json, .yaml, .name: break
        }
    }

    func print(_ bytes: [UInt8]) throws {
        let event = try JSONNode(parsing: bytes)
        switch printer.format {
        case .json: Standard.out(bytes + [0x0A])
        case .yaml: Standard.out("---\n" + YAML.text(event))
        case .name: Standard.out((event["sequence"]?.text ?? "") + "\n")
        case .csv: Standard.out(CSV.text(headings: printer.columns.map { $0.csv(event) }, rows: []))
        case .table: Standard.out(line(printer.columns.map { $0.cell(event) }))
        }
    }

    private func line(_ cells: [String]) -> String {
        let padded = zip(printer.columns, cells).enumerated().map { index, pair in
            let width = index + 1 == cells.count ? 0 : Self.widths[pair.0.key] ?? 12
            return pair.1 + String(repeating: " ", count: max(0, width - Table.width(pair.1)))
        }
        return padded.joined(separator: "  ") + "\n"
    }
}
