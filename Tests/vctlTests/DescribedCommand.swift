// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Testing

@testable import vctl

/// What ArgumentParser tells of a command; read here without the code under test.
struct DescribedCommand: Decodable {
    struct Argument: Decodable {
        struct Name: Decodable {
            var kind: String
            var name: String
        }
        struct Completion: Decodable { var custom: [String: String]? }

        var kind: String
        var names: [Name]?
        var abstract: String?
        var valueName: String?
        var completionKind: Completion?
    }

    var commandName: String
    var shouldDisplay: Bool
    var arguments: [Argument]?
    var subcommands: [DescribedCommand]?

    /// `vctl` itself.
    static func root() throws -> DescribedCommand {
        struct Root: Decodable { var command: DescribedCommand }
        return try JSONDecoder().decode(Root.self, from: Data(Vctl._dumpHelp().utf8)).command
    }

    /// This one and all below, each with the words that lead to it.
    func all(_ path: [String] = []) -> [(path: [String], command: DescribedCommand)] {
        let here = path + [commandName]
        return [(here, self)] + (subcommands ?? []).flatMap { $0.all(here) }
    }

    func below(_ path: some Sequence<String>) throws -> DescribedCommand {
        try path.reduce(self) { command, name in
            try #require(command.subcommands?.first { $0.commandName == name })
        }
    }
}
