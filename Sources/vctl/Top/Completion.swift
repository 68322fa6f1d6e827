// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// `vctl completion`.
struct Completion: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion", abstract: "Print the completion script for a shell.",
        discussion: "vctl completion bash > /etc/bash_completion.d/vctl")

    /// The shells that there is a script for.
    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash, zsh, fish
    }

    @Argument(help: .init("bash, zsh or fish.", valueName: "shell")) var shell: Shell

    func run() throws { Standard.out(Vctl.completionScript(for: script) + "\n") }

    private var script: CompletionShell {
        switch shell {
        case .bash: .bash
        case .zsh: .zsh
        case .fish: .fish
        }
    }
}
