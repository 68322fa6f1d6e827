// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Testing

@testable import vctl

/// Completion in the real shells, with the built `vctl`.
@Suite struct CompletionTests {
    private let names = json(#"[{"name":"web1"},{"name":"web2"},{"name":"a$(id)b"},{"name":"two words"}]"#)

    /// What bash offers for a line whose last word is being typed.
    private func bash(_ words: [String], socket: String = "/nonexistent/x.sock") throws -> [String] {
        let list = words.map { "'\($0)'" }.joined(separator: " ")
        let script = """
            source <(vctl completion bash)
            COMP_WORDS=(\(list)); COMP_CWORD=\(words.count - 1)
            COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}
            _vctl vctl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let result = try Shells.run(["bash", "--norc"], script: script, socket: socket)
        #expect(result.err.isEmpty, "\(result.err)")
        return result.out.split(separator: "\n").map(String.init)
    }

    @Test(arguments: [
        ["vctl", "vm", "show", ""], ["vctl", "vm", "show", "w"], ["vctl", "console", "we"],
        ["vctl", "vm", "list", "--vms", "w"],
    ])
    func bashOffersNamesOfVMs(_ words: [String]) throws {
        let server = try RawServer([[.request, names]])
        #expect(try bash(words, socket: server.path) == ["web1", "web2"])
    }

    @Test func bashKnowsTheCommandsWithoutADaemon() throws {
        #expect(try bash(["vctl", "ima"]) == ["image"])
        #expect(try bash(["vctl", "image", "ren"]) == ["rename"])
        #expect(try bash(["vctl", "vm", "list", "--format", "y"]) == ["yaml"])
        #expect(try bash(["vctl", "vm", "create", "x", "--firm"]) == ["--firmware"])
        #expect(try bash(["vctl", "vm", "list", "--columns", "cp"]) == ["cpus"])
        #expect(try bash(["vctl", "vm", "show", ""]).isEmpty)
    }

    @Test func theSocketOfTheLineIsAsked() throws {
        let server = try RawServer([[.request, json(#"[{"name":"tiny"}]"#)]])
        let line = ["vctl", "--socket", server.path, "image", "show", ""]
        #expect(try bash(line) == ["tiny"])
        #expect(server.requests.first?.hasPrefix("GET /v1/images?fields=name&limit=200 ") == true)
    }

    @Test(arguments: [["vm", "disk", "resize"], ["--socket", "SOCKET", "vm", "disk", "eject", "--force"]])
    func aDiskIsOneOfTheVMThatTheLineNames(_ line: [String]) throws {
        let server = try RawServer([[.request, json(#"{"disks":[{"target":"vda"},{"target":"sda"}]}"#)]])
        let words = line.map { $0 == "SOCKET" ? server.path : $0 }
        #expect(try bash(["vctl"] + words + ["web1", "vd"], socket: server.path) == ["vda"])
        #expect(server.requests.first?.hasPrefix("GET /v1/vms/web1 ") == true)
    }

    @Test func partsHaveColumnsOfTheirOwn() throws {
        #expect(try bash(["vctl", "vm", "disk", "list", "--columns", "ser"]) == ["serial"])
        #expect(try bash(["vctl", "vm", "nic", "list", "web", "--columns", "mac,mo"]) == ["mac,model"])
        #expect(try bash(["vctl", "vm", "top", "--columns", "disk"]).count == 2)
        #expect(try bash(["vctl", "operation", "list", "--columns", "kin"]) == ["kind"])
    }

    /// What is there already can be looked up, whichever command names it.
    @Test func everyNameOfWhatExistsIsOffered() throws {
        let arguments = try DescribedCommand.root().all().flatMap { path, command in
            (command.arguments ?? []).map { (path: path, argument: $0) }
        }
        let names = arguments.filter { $0.argument.abstract?.contains("UUID") == true }
        #expect(names.count > 35)
        for (path, argument) in names {
            #expect(argument.completionKind?.custom != nil, "\(path) \(argument.valueName ?? "")")
        }
    }

    private func offered(_ start: String, _ line: String, socket: String) throws -> String {
        try Shells.typed(
            """
            \(start)
            zpty -w shell "echo RE''ADY"
            zpty -m -r shell text '*READY*'
            zpty -n -w shell $'\(line)'
            zpty -m -r shell text '*web1*web2*'
            """, socket: socket)
    }

    @Test func fishOffersNames() throws {
        let server = try RawServer([[.request, names], [.request, names]])
        let start = """
            zpty shell env TERM=xterm fish --no-config -i
            zpty -w shell 'vctl completion fish | source'
            """
        let text = try offered(start, "vctl vm show web\\t", socket: server.path)
        #expect(text.contains("web2") && !text.contains("$(id)"))
    }

    @Test func zshOffersNames() throws {
        let server = try RawServer([[.request, names], [.request, names]])
        let start = """
            zpty shell zsh -f -i
            zpty -w shell 'PS1=; autoload -Uz compinit; compinit -D -u; unsetopt beep'
            zpty -w shell 'source <(vctl completion zsh); compdef _vctl vctl'
            """
        let text = try offered(start, "vctl vm show web\\t\\t", socket: server.path)
        #expect(text.contains("web2") && !text.contains("$(id)"))
    }

    @Test func nothingIsSaidInTheMiddleOfALine() throws {
        for line in [["vm", "show", "--", "positional@0"], ["vm", "nonsense", "--", "--x"]] {
            let result = try Program.run(["---completion"] + line + ["3", "0", "vctl", "vm", "show", ""])
            #expect(result.err.isEmpty && result.out.split(separator: "\n").isEmpty, "\(result)")
        }
    }

    @Test func wordsThatAShellCutAreJoined() {
        let words = ["--host", "ssh", ":", "//a", ":", "22", "--socket", "=", "/x", "vm", "show"]
        #expect(TypedLine.joined(words) == ["--host", "ssh://a:22", "--socket=/x", "vm", "show"])
    }

    @Test(arguments: ["$(id)", "a b", "-x", "", "a;b", "`x`", "a'b", "ä"])
    func noNameBecomesACommand(_ name: String) {
        #expect(!TypedLine.isHarmless(name))
    }
}
