// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Testing

@testable import vctl

@Suite struct CommandTreeTests {
    private func walk(_ command: any ParsableCommand.Type, _ path: [String]) -> [(
        [String], any ParsableCommand.Type
    )] {
        CommandTree.children(of: command).flatMap { child in
            let here = path + [CommandTree.name(of: child)]
            return [(here, child)] + walk(child, here)
        }
    }

    @Test func everyCommandNamesAndExplainsItself() {
        let all = walk(Vctl.self, [])
        #expect(all.count > 40)
        for (path, command) in all {
            #expect(command.configuration.commandName?.isEmpty == false, "\(command) needs commandName:")
            #expect(command.configuration.abstract.hasSuffix("."), "\(path) needs an abstract")
        }
    }

    @Test func everyCommandOfTheContractExists() {
        let table = [
            "vm": """
            create list show start stop restart reset pause resume set delete rename suspend adopt release
            wait console exec xml top disk nic clone file
            """,
            "vm disk": "add remove resize eject insert list",
            "vm nic": "add remove set list",
            "image": "import list show set rename delete publish export",
            "network": "create list show set start stop delete adopt release leases",
            "pool": "create list show set start stop refresh delete adopt release",
            "volume": "create list show resize clone flatten upload download wipe delete",
            "network reservation": "add list remove", "network dns": "add list remove",
            "network forward": "add list remove",
            "operation": "list show wait cancel retry abandon",
            "bridge": "create list show set delete confirm rollback",
            "securitygroup": "create list show set delete",
            "tap": "create list delete", "event": "list follow", "warning": "list ack delete",
            "audit": "list", "host": "show doctor",
        ]
        let known = Set(walk(Vctl.self, []).map { $0.0.joined(separator: " ") })
        for (noun, verbs) in table {
            for verb in verbs.split(whereSeparator: \.isWhitespace) {
                #expect(known.contains("\(noun) \(verb)"))
            }
        }
        for short in [
            "list", "start", "stop", "console", "exec", "query", "waitready", "version", "completion",
        ] {
            #expect(known.contains(short))
        }
    }

    @Test func formatIsEverywhereWhereObjectsArePrinted() {
        let silent = [
            "console", "exec", "query", "waitready", "completion", "xml", "proxy", "man", "export", "push",
            "pull", "download",
        ]
        for (path, command) in walk(Vctl.self, []) where CommandTree.children(of: command).isEmpty {
            guard !silent.contains(path.last ?? "") else { continue }
            #expect(command.helpMessage().contains("--format"), "\(path)")
        }
    }

    @Test(arguments: [
        (["vm", "restore", "a"], "vctl vm start"), (["op", "list"], "vctl operation list"),
        (["nonsense"], "vctl"),
        (["--socket", "x", "vm"], "vctl"),
    ])
    func aPathIsFound(_ arguments: [String], _ path: String) {
        #expect(CommandTree.path(of: arguments).joined(separator: " ") == path)
    }
}
