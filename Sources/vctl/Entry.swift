// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import VctlAPI
import VctlClient

/// Where the program begins and ends.
@main
enum Entry {
    static func main() {
        exit(run(Array(CommandLine.arguments.dropFirst())))
    }

    /// Runs one command line; what it has to say is on stdout and stderr when it returns.
    static func run(_ arguments: [String]) -> Int32 {
        let arguments = LeadingOptions.moved(arguments)
        do {
            var command = try Vctl.parseAsRoot(arguments)
            try command.run()
            return VctlAPI.ExitCode.success.rawValue
        } catch let ended as Ended {
            return ended.exit.rawValue
        } catch let ended as GuestEnded {
            return ended.status
        } catch let error where isOurs(error) {
            return report(Failure(error)).rawValue
        } catch {
            return reportParsing(error, arguments).rawValue
        }
    }

    private static func isOurs(_ error: any Error) -> Bool {
        error is Failure || error is Problem || error is ClientError || error is FileError
            || error is InvalidValue
    }

    private static func reportParsing(_ error: any Error, _ arguments: [String]) -> VctlAPI.ExitCode {
        guard Vctl.exitCode(for: error) != .success else {
            Standard.out(Vctl.fullMessage(for: error) + "\n")
            return .success
        }
        return report(usageFailure(error, arguments))
    }

    /// What ArgumentParser found wrong, in this program's form.
    static func usageFailure(_ error: any Error, _ arguments: [String]) -> Failure {
        let message = Vctl.message(for: error)
        let line = message.split(separator: "\n", omittingEmptySubsequences: true).joined(separator: " ")
        let text = line.prefix(1).lowercased() + line.dropFirst()
        if let failure = Mistakes.unknownCommand(arguments) { return failure }
        let path = CommandTree.path(of: arguments).joined(separator: " ")
        let hint = Mistakes.foreignFlag(text) ?? "\(path) --help"
        return .usage(text.isEmpty ? "this is no command" : text, hint: hint)
    }

    private static func report(_ failure: Failure) -> VctlAPI.ExitCode {
        // A shell that completes a line shows whatever is said in the middle of that line.
        guard CommandLine.arguments.dropFirst().first != "---completion" else { return failure.exit }
        for line in failure.lines { Standard.error(line) }
        return failure.exit
    }
}

/// The tree of commands, walked.
enum CommandTree {
    /// How far an argument list leads into the tree.
    struct Walk {
        /// The commands' own names, `vctl` first.
        var names: [String]
        /// The last command.
        var command: any ParsableCommand.Type
        /// How many arguments lead there.
        var count: Int { names.count - 1 }
    }

    /// The commands that an argument list begins with.
    static func walk(_ arguments: [String]) -> Walk {
        var walk = Walk(names: ["vctl"], command: Vctl.self)
        for argument in arguments {
            guard let next = child(of: walk.command, argument) else { break }
            walk.names.append(name(of: next))
            walk.command = next
        }
        return walk
    }

    /// The names of the commands that an argument list begins with.
    static func path(of arguments: [String]) -> [String] { walk(arguments).names }

    /// All names of the commands below a command.
    static func names(below command: any ParsableCommand.Type) -> [String] {
        children(of: command).filter { $0.configuration.shouldDisplay }.flatMap {
            [name(of: $0)] + $0.configuration.aliases
        }
    }

    /// The children of a command.
    static func children(of command: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
        command.configuration.subcommands
    }

    /// The name that a command gives itself.
    static func name(of command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? ""
    }

    private static func child(
        of command: any ParsableCommand.Type, _ word: String
    ) -> (any ParsableCommand.Type)? {
        children(of: command).first { name(of: $0) == word || $0.configuration.aliases.contains(word) }
    }
}
