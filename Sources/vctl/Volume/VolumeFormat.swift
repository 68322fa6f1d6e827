// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI

/// How a new volume is stored, and how it is printed: `--format` has two meanings, and their words are
/// different.
struct VolumeFormatOptions: ParsableArguments {
    @Option(
        name: [.customLong("format"), .customShort("f")],
        help: "The format to store (qcow2, raw), or how to print (table, json, yaml, csv, name).",
        completion: .list(["qcow2", "raw"] + Format.allCases.map(\.rawValue)),
        transform: ImageImport.FormatChoice.init)
    var formats: [ImageImport.FormatChoice] = []

    @Option(
        name: .customLong("columns"), help: .init("The columns of table and csv.", valueName: "a,b"),
        completion: Live.columns)
    var columns: String?

    /// What was said of the volume; `nil`: nothing.
    var stored: DiskFormat? {
        var stored: DiskFormat?
        for case .stored(let format) in formats { stored = format }
        return stored
    }

    var output: OutputOptions {
        get throws {
            var output = try OutputOptions.parse([])
            output.columns = columns
            for case .printed(let format) in formats { output.format = format }
            return output
        }
    }
}
