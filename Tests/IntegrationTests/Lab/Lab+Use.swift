// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI
import VctlClient

extension Lab {
    /// The host of the suite that runs.
    static var current: Lab {
        get throws { try #require(shared, "the suite lacks the trait .hosted") }
    }

    /// Runs `vctl`, however it ends.
    @discardableResult
    func vctl(_ arguments: String..., input: String = "", seconds: Double = 240) throws -> Outcome {
        try run(arguments, input: input, seconds: seconds)
    }

    /// Runs `vctl`, which has to end with 0.
    @discardableResult
    func must(_ arguments: String..., input: String = "", seconds: Double = 240) throws -> Outcome {
        let outcome = try run(arguments, input: input, seconds: seconds)
        guard outcome.status == 0 else { throw ShellFailure(outcome: outcome, reason: "failed") }
        return outcome
    }

    func run(_ arguments: [String], input: String = "", seconds: Double = 240) throws -> Outcome {
        try Shell.run(
            ["\(Lab.build)/vctl"] + arguments, input: input, environment: ["VCTL_SOCKET": socket],
            seconds: seconds)
    }

    /// A client of the daemon's API.
    func client() -> Client { Client(socket: socket) }

    /// Makes a small VM from the image `tiny`, or as the arguments say.
    @discardableResult
    func create(_ name: String, _ arguments: String...) throws -> VM {
        let source = ["--image", "--kernel", "--import", "--cdrom"].contains(where: arguments.contains)
        let all =
            ["vm", "create", name, "--memory", "128M"] + (source ? [] : ["--image", "tiny"]) + arguments
        let outcome = try run(all + ["--format", "json"], seconds: 300)
        guard outcome.status == 0 else {
            let said = (try? console(name)) ?? ""
            throw ShellFailure(
                outcome: outcome, reason: "failed; the end of its console: \(said.suffix(1000))")
        }
        return try decode(VM.self, outcome.out)
    }

    /// Deletes VMs, whatever state they are in; those that are not there are no error.
    func remove(_ names: String...) throws {
        let outcome = try run(["vm", "delete", "--yes", "--force", "--if-exists"] + names)
        guard outcome.status == 0 else { throw ShellFailure(outcome: outcome, reason: "failed") }
    }

    func vm(_ name: String) throws -> VM {
        try decode(VM.self, must("vm", "show", name, "--format", "json").out)
    }

    func vms() throws -> [VM] { try decode([VM].self, must("vm", "list", "--format", "json").out) }

    func image(_ name: String) throws -> Image {
        try decode(Image.self, must("image", "show", name, "--format", "json").out)
    }

    func operations() throws -> [VctlAPI.Operation] {
        try client().send(Request(method: "GET", target: "/v1/operations?limit=1000")).decoded()
    }

    /// Every stored event above the given number.
    func events(since sequence: Int64 = 0) throws -> [Event] {
        try decode(
            [Event].self,
            must("event", "list", "--since", "\(sequence)", "--limit", "10000", "--format", "json").out)
    }

    func lastEvent() throws -> Int64 { try events().last?.sequence ?? 0 }

    /// Runs a program inside the host.
    @discardableResult
    func inside(_ command: String..., seconds: Double = 120) throws -> Outcome {
        try Shell.run(
            vhostCommand("exec", name) + command, environment: ["VCTL_LAB": Lab.base], seconds: seconds)
    }

    /// Runs `virsh` inside the host, which has to end with 0.
    @discardableResult
    func virsh(_ arguments: String...) throws -> Outcome {
        try Shell.must(
            vhostCommand("exec", name, "virsh", "-q") + arguments, environment: ["VCTL_LAB": Lab.base])
    }

    /// The names of libvirt's domains.
    func domains() throws -> [String] { try virsh("list", "--all", "--name").lines }

    /// The real `curl` on the daemon's socket.
    @discardableResult
    func curl(_ arguments: String..., seconds: Double = 120) throws -> Outcome {
        try Shell.run(curlCommand() + arguments, seconds: seconds)
    }

    func curlCommand() -> [String] { ["curl", "-sS", "--unix-socket", socket] }

    /// Files of a folder, sorted.
    func list(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    /// Writes a file for a test and gives its path.
    func write(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(files)/\(name)"))
        return "\(files)/\(name)"
    }

    /// Puts a file where the daemon lets requests name it, and gives its path inside the host.
    func publish(_ path: String) throws -> String {
        let name = URL(fileURLWithPath: path).lastPathComponent
        try FileManager.default.createDirectory(
            atPath: "\(root)/lib/images", withIntermediateDirectories: true)
        if !FileManager.default.fileExists(atPath: "\(pool)/\(name)") {
            try FileManager.default.copyItem(atPath: path, toPath: "\(pool)/\(name)")
        }
        return "/var/lib/libvirt/images/\(name)"
    }

    /// What a guest has printed on its serial console, with line ends that are one character.
    func console(_ name: String) throws -> String {
        try must("vm", "console", name, "--log").out.replacingOccurrences(of: "\r", with: "")
    }

    /// Waits until a guest has printed a text as often as that.
    func awaitConsole(_ name: String, _ text: String, times: Int = 1) throws {
        try eventually("\(name) prints \(text) ×\(times)", seconds: 180) {
            try console(name).components(separatedBy: text).count > times
        }
    }
}

/// Reads a JSON text as a type of the API.
func decode<T: Decodable>(_ type: T.Type, _ text: String) throws -> T {
    try JSONDecoder().decode(type, from: Data(text.utf8))
}
