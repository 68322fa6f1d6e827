// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl vm console`.
struct VMConsole: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "console", abstract: "Use a VM's serial console; Ctrl-] leaves it.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var timeout: TimeoutOption

    @Argument(help: .init("Name or UUID.", valueName: "name"), completion: Live.vms)
    var name: String

    @Flag(name: .customLong("log"), help: "Print what was kept, and end.")
    var log = false

    @Option(
        name: .customLong("tail"),
        help: .init("Begin with the last so many bytes of the log, 4K without it.", valueName: "size"),
        transform: Self.tailSize)
    var tail: Int64?

    static func tailSize(_ text: String) throws -> Int64 { text == "0" ? 0 : try Parse.size(text).bytes }

    func run() throws {
        _ = try Reference(checking: name)
        if log { return try printLog() }
        let client = connect.client()
        try refuseOff(client)
        let console = ConsoleSession(
            output: try openLog(follow: true, client: connect.client()),
            input: ConsoleInput(client, name),
            deadline: timeout.deadline)
        try console.run()
    }

    /// What is off would end at once, as if there had been nothing to say.
    private func refuseOff(_ client: Client) throws {
        let reply = try client.send(Request(Endpoints.named("vm.show"), [name]), until: timeout.deadline)
        let vm = try reply.decoded(as: VM.self)
        guard vm.state != .running, vm.state != .paused else { return }
        let name = shown(vm.name)
        throw Problem(
            .vmState, "VM \(name) is \(vm.state.rawValue)",
            hint: "vctl vm start \(name); what it said before: vctl vm console \(name) --log")
    }

    private func printLog() throws {
        let body = try openLog(follow: false, client: connect.client())
        while let part = try body.next(until: timeout.deadline) { Standard.out(part) }
    }

    private func openLog(follow: Bool, client: Client) throws -> ReplyBody {
        var query: [(String, String)] = []
        if follow { query.append(("follow", "true")) }
        if let bytes = tail ?? (follow ? 4096 : nil) { query.append(("tail", "\(bytes)")) }
        let request = Request(Endpoints.named("vm.console.log"), [name], query: query)
        let (head, body) = try client.open(request, until: timeout.deadline)
        guard head.status >= 400 else { return body }
        let reply = Reply(head: head, bytes: try body.rest(until: client.limit(timeout.deadline)))
        throw reply.problem ?? Problem(.internalError, "no console")
    }
}
