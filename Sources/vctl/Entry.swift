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
        do {
            var command = try Vctl.parseAsRoot(LeadingOptions.moved(arguments))
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
        let path = CommandTree.path(of: arguments).joined(separator: " ")
        return .usage(text.isEmpty ? "this is no command" : text, hint: "\(path) --help")
    }

    private static func report(_ failure: Failure) -> VctlAPI.ExitCode {
        for line in failure.lines { Standard.error(line) }
        return failure.exit
    }
}

/// The tree of commands, walked.
enum CommandTree {
    /// The names of the commands that an argument list begins with.
    static func path(of arguments: [String]) -> [String] {
        var path = ["vctl"]
        var command: any ParsableCommand.Type = Vctl.self
        for argument in arguments where !argument.hasPrefix("-") {
            guard let next = child(of: command, argument) else { break }
            path.append(name(of: next))
            command = next
        }
        return path
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
