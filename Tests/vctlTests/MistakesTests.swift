// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Testing

@testable import vctl

@Suite struct MistakesTests {
    @Test(arguments: [
        "vm lst": "did you mean: vctl vm list", "vms list": "did you mean: vctl vm list",
        "lst": "did you mean: vctl list", "delete web --yes": "did you mean: vctl vm delete web --yes",
        "vm destroy web": "did you mean: vctl vm stop --force web", "ps": "did you mean: vctl vm list",
        "dumpxml web": "did you mean: vctl vm xml web", "vm shwo web": "did you mean: vctl vm show web",
        "imgae list": "did you mean: vctl image list", "operation ps": "did you mean: vctl operation list",
        "vm qqqqq": "vctl vm --help", "qqqqq": "vctl --help", "image dumpxml": "vctl image --help",
        "vm create web --ram 2": "instead of --ram: --memory SIZE, as in --memory 2G",
        "vm list -o json": "instead of -o: --format table|json|yaml|csv|name",
        "vm create web --bogus": "vctl vm create --help",
        "list --no-color": "instead of --no-color: the variable NO_COLOR=1",
        "vm create web --ram=2G": "instead of --ram: --memory SIZE, as in --memory 2G",
        "exec --bogus web ls -a": "vctl exec --help",
    ])
    func theHintIsWhatWasMeant(_ line: String, _ hint: String) throws {
        let arguments = line.split(separator: " ").map(String.init)
        do {
            _ = try Vctl.parseAsRoot(arguments)
            Issue.record("\(line) was accepted")
        } catch {
            #expect(Entry.usageFailure(error, arguments).hint == hint)
        }
    }

    @Test func whatIsSuggestedExists() throws {
        for line in ["vm stop --force web", "vm delete web --yes", "vm console --log web", "vm xml web"] {
            #expect(throws: Never.self) {
                try Vctl.parseAsRoot(line.split(separator: " ").map(String.init))
            }
        }
    }

    /// A flag that a command has cannot be a mistake.
    @Test func foreignFlagsAreForeign() {
        let dump = Vctl._dumpHelp()
        for flag in Mistakes.flags.keys {
            let name = flag.drop { $0 == "-" }
            #expect(!dump.contains("\"name\" : \"\(name)\""), "\(flag)")
        }
    }

    @Test func coloursAreForTerminals() throws {
        let server = try RawServer([[.request, json("[\(vm())]")], [.request, json("[\(vm())]")]])
        let coloured = try Shells.typed(
            "zpty shell env TERM=xterm vctl list; zpty -m -r shell text '*web1*192.0.2.7*'",
            socket: server.path)
        #expect(coloured.contains("\u{1B}[32mrunning\u{1B}[0m"), "\(coloured)")
        let plain = try Shells.typed(
            "zpty shell env TERM=xterm NO_COLOR=1 vctl list; zpty -m -r shell text '*web1*192.0.2.7*'",
            socket: server.path)
        #expect(plain.contains("running") && !plain.contains("\u{1B}"), "\(plain)")
        let error = try Shells.typed(
            "zpty shell env TERM=xterm vctl list; zpty -m -r shell text '*hint*'", socket: "/nonexistent/x")
        #expect(error.contains("\u{1B}[31merror:\u{1B}[0m cannot reach"), "\(error)")
    }

    @Test func coloursDoNotMoveColumns() {
        let text = Table.text(headings: ["A", "B"], rows: [["running", "1"], ["x", "2"]]) { _, cell in
            cell == "running" ? .good : nil
        }
        #expect(text.hasSuffix("\u{1B}[32mrunning\u{1B}[0m  1\nx        2\n"))
    }
}
