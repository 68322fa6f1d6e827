// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Testing

@testable import vctl

/// The manual pages, as the built `vctl` writes them.
@Suite struct ManualTests {
    /// What ArgumentParser tells of a command; read here without the code under test.
    private struct Described: Decodable {
        struct Argument: Decodable {
            struct Name: Decodable {
                var kind: String
                var name: String
            }
            var names: [Name]?
            var valueName: String?
            var kind: String
        }
        var commandName: String
        var shouldDisplay: Bool
        var arguments: [Argument]?
        var subcommands: [Described]?

        func all(_ path: String = "") -> [(String, Described)] {
            let here = path.isEmpty ? commandName : "\(path)-\(commandName)"
            let below = (subcommands ?? []).filter { $0.shouldDisplay && $0.commandName != "help" }
            return [(here, self)] + below.flatMap { $0.all(here) }
        }
    }

    private struct Root: Decodable { var command: Described }

    private func withPages(_ body: (String, [String]) throws -> Void) throws {
        let folder = "/tmp/vctl-test-\(UUID().uuidString.prefix(13))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let result = try Program.run(["man", folder])
        #expect(result.status == 0 && result.out.isEmpty, "\(result.err)")
        try body(folder, try FileManager.default.contentsOfDirectory(atPath: folder))
    }

    @Test func everyCommandHasAPageWithItsOptions() throws {
        let commands = try JSONDecoder().decode(Root.self, from: Data(Vctl._dumpHelp().utf8)).command.all()
        #expect(commands.count > 50)
        try withPages { folder, files in
            #expect(Set(files) == Set(commands.map { "\($0.0).1" }))
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
        let process = Process()
        let pipes = Program.Pipes()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.environment = [
            "PATH": "/usr/bin:/bin", "MANPAGER": "cat", "MANWIDTH": "100", "LC_ALL": "C.UTF-8",
        ]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipes.out
        process.standardError = pipes.err
        try process.run()
        return Program.finish(process, pipes)
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
