// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// `vctl completion`.
struct Completion: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion", abstract: "Print the completion script for a shell.",
        discussion: """
            Names of VMs, images and operations are asked of the daemon while you type.

            vctl completion bash > /etc/bash_completion.d/vctl
            vctl completion zsh > /usr/local/share/zsh/site-functions/_vctl
            vctl completion fish > ~/.config/fish/completions/vctl.fish
            """)

    /// The shells that there is a script for.
    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash, zsh, fish
    }

    @Argument(help: .init("bash, zsh or fish.", valueName: "shell")) var shell: Shell

    func run() throws { Standard.out(ShownRoot.completionScript(for: script) + "\n") }

    private var script: CompletionShell {
        switch shell {
        case .bash: .bash
        case .zsh: .zsh
        case .fish: .fish
        }
    }
}
