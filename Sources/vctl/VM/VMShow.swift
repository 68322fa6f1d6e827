// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl vm show`.
struct VMShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything about VMs.",
        discussion: """
            Of one VM that runs and has a screen, the commands that connect a viewer to it are printed to
            standard error; with --host those for this machine, through ssh.
            --screenshot writes what is on that screen as PNG, and shows nothing else.
            """)

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var targets: VMTargets

    @Option(
        name: .customLong("screenshot"),
        help: .init("Write a picture of the screen to this file; - is stdout.", valueName: "file.png"))
    var screenshot: String?

    func run() throws {
        let client = connect.client()
        let names = try targets.resolve(client)
        if let screenshot { return try picture(names, screenshot, client) }
        let replies = try ShowRun.run(.vm, names, connect, output, by: client)
        guard output.format == .table, replies.count == 1 else { return }
        guard
            let vm = try? Reply(head: ReplyHead(status: 200, headers: []), bytes: replies[0]).decoded(
                as: VM.self)
        else { return }
        guard let viewers = Viewers(vm) else { return }
        let host: Host? = try? client.send(Request(Endpoints.named("host.show"))).decoded()
        let lines = connect.remote.map { viewers.lines(from: $0, host) } ?? viewers.lines(host)
        for line in lines { Standard.error(line) }
    }

    private func picture(_ names: [String], _ path: String, _ client: Client) throws {
        guard names.count == 1 else { throw Failure.usage("--screenshot is of one VM") }
        guard path != "-" || !Standard.outIsTerminal else {
            throw Failure.usage("a picture does not belong on a terminal", hint: "name a file, or redirect")
        }
        let reply = try client.send(Request(Endpoints.named("vm.screenshot"), names), waiting: 60)
        if path == "-" { return Standard.out(reply.bytes) }
        try Files.write(reply.bytes, to: path)
    }
}
