// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The real shells, with the built `vctl`.
enum Shells {
    /// Runs a shell with a script; `vctl` is in its `PATH`.
    static func run(_ command: [String], script: String, socket: String) throws -> Program {
        try Folder.with { folder in
            try script.write(toFile: "\(folder)/script", atomically: true, encoding: .utf8)
            let bin = URL(fileURLWithPath: Program.path).deletingLastPathComponent().path
            return try Program.run(
                program: "/usr/bin/env", command + ["\(folder)/script"],
                environment: [
                    "PATH": "\(bin):/usr/bin:/bin", "HOME": folder, "VCTL_SOCKET": socket, "TERM": "dumb",
                ])
        }
    }

    /// What stands on a terminal at the end of a zsh script that works with zpty: some programs show what
    /// they can only where someone types. The script leaves what it read in `text`, from the terminal
    /// `shell`.
    static func typed(_ script: String, socket: String) throws -> String {
        let whole = """
            zmodload zsh/zpty
            \(script)
            print -r -- $text
            zpty -d shell
            """
        let result = try run(["timeout", "60", "zsh", "-f"], script: whole, socket: socket)
        #expect(result.status == 0, "\(result)")
        return result.out
    }
}
