// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI

/// Who may log in to a guest that runs.
struct AccountOptions: ParsableArguments {
    @Option(name: .customLong("user"), help: "A user of the guest; its agent makes these changes at once.")
    var user: String?

    @Option(
        name: .customLong("ssh-key"), parsing: .unconditionalSingleValue,
        help: .init("Public keys that the user may log in with, too; may be repeated.", valueName: "file"))
    var sshKeys: [String] = []

    @Option(
        name: .customLong("password-file"),
        help: .init("The user's new password is its first line; - is stdin.", valueName: "file"))
    var passwordFile: String?

    var isGiven: Bool { user != nil || !sshKeys.isEmpty || passwordFile != nil }

    func fill(_ patch: inout VMPatch) throws {
        guard isGiven else { return }
        guard user != nil else { throw Failure.usage("--ssh-key and --password-file need --user") }
        patch.user = user
        if !sshKeys.isEmpty { patch.sshKeys = try sshKeys.flatMap { try Files.publicKeys($0) } }
        patch.password = try passwordFile.map { file in
            let line = try Files.text(file).split(separator: "\n", omittingEmptySubsequences: false).first
            guard let line, !line.isEmpty else { throw Failure.usage("\(shown(file)) holds no password") }
            return Secret(String(line))
        }
    }
}
