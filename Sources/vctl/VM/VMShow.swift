// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import VctlAPI
import VctlClient

/// `vctl vm show`.
struct VMShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything about VMs.",
        discussion: """
            Of one VM that runs and has a screen, the commands that connect a viewer to it are printed to
            standard error. --screenshot writes what is on that screen as PNG, and shows nothing else.
            """)

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var targets: VMTargets

    @Option(
        name: .customLong("screenshot"),
        help: .init("Write a picture of the screen to this file; - is stdout.", valueName: "file.png"))
    var screenshot: String?

    func run() throws {
        let names = try targets.resolve(connect.client())
        if let screenshot { return try picture(names, screenshot) }
        let replies = try ShowRun.run(.vm, names, connect, output)
        guard output.format == .table, replies.count == 1 else { return }
        guard
            let vm = try? Reply(head: ReplyHead(status: 200, headers: []), bytes: replies[0]).decoded(
                as: VM.self)
        else { return }
        for line in Viewers.lines(vm, host: Viewers.hostname) { Standard.error(line) }
    }

    private func picture(_ names: [String], _ path: String) throws {
        guard names.count == 1 else { throw Failure.usage("--screenshot is of one VM") }
        guard path != "-" || !Standard.outIsTerminal else {
            throw Failure.usage("a picture does not belong on a terminal", hint: "name a file, or redirect")
        }
        let client = connect.client()
        let reply = try client.send(Request(Endpoints.named("vm.screenshot"), names), waiting: 60)
        if path == "-" { return Standard.out(reply.bytes) }
        try Files.write(reply.bytes, to: path)
    }
}

/// How to look at a VM's screen.
enum Viewers {
    /// The commands, each behind where it is run; empty where there is nothing to connect to.
    static func lines(_ vm: VM, host: String) -> [String] {
        guard let screen = vm.graphics?.first(where: { $0.socket != nil }), let socket = screen.socket else {
            return []
        }
        let path = quoted(socket)
        let (here, there): (String, String)
        switch screen.type {
        case "vnc": (here, there) = ("vncviewer \(path)", "vncviewer localhost:1")
        case "spice":
            (here, there) = ("remote-viewer spice+unix://\(path)", "remote-viewer spice://localhost:5901")
        default: return []
        }
        return [
            "screen: virt-viewer --connect qemu:///system --attach \(vm.id)", "screen: \(here)",
            "screen from elsewhere: ssh -N -L 5901:\(path) \(quoted(host)), and there: \(there)",
        ]
    }

    static var hostname: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "HOST" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func quoted(_ text: String) -> String {
        let plain = text.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x2B...0x3A).contains($0)
                || $0 == 0x5F
        }
        return plain ? text : "'\(shown(text, limit: 500).split(separator: "'").joined(separator: #"'\''"#))'"
    }
}
