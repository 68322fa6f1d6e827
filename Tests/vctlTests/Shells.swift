// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The real shells, with the built `vctl`.
enum Shells {
    /// Runs a shell with a script; `vctl` is in its `PATH`.
    static func run(_ command: [String], script: String, socket: String) throws -> Program {
        let folder = "/tmp/vctl-test-\(UUID().uuidString.prefix(13))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try script.write(toFile: "\(folder)/script", atomically: true, encoding: .utf8)
        let process = Process()
        let pipes = Program.Pipes()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command + ["\(folder)/script"]
        let bin = URL(fileURLWithPath: Program.path).deletingLastPathComponent().path
        process.environment = [
            "PATH": "\(bin):/usr/bin:/bin", "HOME": folder, "VCTL_SOCKET": socket, "TERM": "dumb",
        ]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipes.out
        process.standardError = pipes.err
        try process.run()
        return Program.finish(process, pipes)
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
