// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Testing

@testable import vctl

/// The manual pages, as the built `vctl` writes them.
@Suite struct ManualTests {
    private func withPages(_ body: (String, [String]) throws -> Void) throws {
        let folder = "/tmp/vctl-test-\(UUID().uuidString.prefix(13))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let result = try Program.run(["man", folder])
        #expect(result.status == 0 && result.out.isEmpty, "\(result.err)")
        try body(folder, try FileManager.default.contentsOfDirectory(atPath: folder))
    }

    @Test func everyCommandHasAPageWithItsOptions() throws {
        let all = try DescribedCommand.root().all()
        let commands = all.filter { $0.command.shouldDisplay && !$0.path.contains("help") }.map {
            (name: $0.path.joined(separator: "-"), command: $0.command)
        }
        #expect(commands.count > 50)
        try withPages { folder, files in
            #expect(Set(files) == Set(commands.map { "\($0.name).1" }))
            for (name, command) in commands {
                let page = try String(contentsOfFile: "\(folder)/\(name).1", encoding: .utf8)
                let text = page.replacingOccurrences(of: "\\-", with: "-")
                for argument in command.arguments ?? [] {
                    for option in argument.names ?? [] where option.kind == "long" {
                        #expect(text.contains("\\fB--\(option.name)\\fR"), "\(name): --\(option.name)")
                    }
                    guard argument.kind == "positional", let value = argument.valueName else { continue }
                    #expect(text.contains("\n\\fI\(value)\\fR\n"), "\(name): \(value)")
                }
            }
        }
    }

    @Test func readersOfManualPagesFindNothingWrong() throws {
        try withPages { folder, files in
            let paths = files.sorted().map { "\(folder)/\($0)" }
            for command in [
                ["mandoc", "-T", "lint", "-W", "warning"], ["groff", "-man", "-Tutf8", "-ww", "-z"],
            ] {
                let result = try run(command + paths)
                #expect(result.status == 0 && result.out.isEmpty && result.err.isEmpty, "\(result)")
            }
            let shown = try run(["man", "--warnings", "-E", "UTF-8", "-l", "\(folder)/vctl-vm-create.1"])
            #expect(shown.status == 0 && shown.err.isEmpty && shown.out.contains("--wait-for condition"))
        }
    }

    private func run(_ command: [String]) throws -> Program {
        try Program.run(
            program: "/usr/bin/env", command,
            environment: [
                "PATH": "/usr/bin:/bin", "MANPAGER": "cat", "MANWIDTH": "100", "LC_ALL": "C.UTF-8",
            ])
    }

    @Test func aFolderThatCannotBeMadeIsNamed() throws {
        let result = try Program.run(["man", "/nonexistent/folder"])
        #expect(result.status == 1 && result.err.contains("cannot write /nonexistent/folder: No such file"))
    }

    @Test func examplesAreApartFromText() {
        let discussion = Discussion("First\nsecond.\n\nvctl a\nvctl b\n\nThird.")
        #expect(
            discussion.paragraphs == ["First\nsecond.", "Third."]
                && discussion.examples == ["vctl a", "vctl b"])
    }

    @Test func textCannotBecomeAMacro() {
        #expect(Roff.text(".TH x\n'y \\n") == "\\&.TH x\n\\&'y \\en")
        #expect(Roff.bold("--a'…") == "\\fB\\-\\-a\\(aq\\[u2026]\\fR")
    }
}
