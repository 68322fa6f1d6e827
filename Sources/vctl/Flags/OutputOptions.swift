// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// How objects are printed.
enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json, yaml, csv, name
}

/// What is printed, and how.
struct OutputOptions: ParsableArguments {
    @Option(
        name: [.customLong("format"), .customShort("f")],
        help: "How to print: table, json, yaml, csv or name.")
    var format: Format = .table

    @Option(
        name: .customLong("columns"),
        help: .init("The columns of table and csv, by comma.", valueName: "a,b"),
        completion: Live.columns)
    var columns: String?
}
