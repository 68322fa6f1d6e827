// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl vm file`.
struct VMFileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "file", abstract: "Copy files into guests and out of them, by the agent.",
        subcommands: [VMFilePush.self, VMFilePull.self])
}

/// `vctl vm file push`.
struct VMFilePush: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Copy a file from here into a guest.",
        discussion: """
            vctl vm file push web1 nginx.conf /etc/nginx/nginx.conf

            A file that is there keeps its owner and mode, and its content until the new one is complete.
            """)

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var timeout: TimeoutOption
    @OptionGroup var change: ChangeOptions
    @Option(name: .customLong("mode"), help: "The file's mode, such as 0644.") var mode: String?
    @Argument(
        help: .init("Name or UUID.", valueName: "name"), completion: Live.vms, transform: Parse.reference)
    var name: Reference
    @Argument(help: .init("The file here.", valueName: "file"), completion: .file()) var file: String
    @Argument(help: .init("The absolute path in the guest.", valueName: "path")) var path: String

    func run() throws {
        var query = [("path", path)] + change.query
        if let mode { query.append(("mode", mode)) }
        let client = connect.client()
        client.interrupts = Interrupts()
        let request = Request(Endpoints.named("vm.file.push"), [name.description], query: query)
        guard let content = try content() else {
            let reply = try client.send(
                request.bytes([], as: "application/octet-stream"), until: timeout.deadline)
            if change.dryRun { try Previews.print([reply], .table, asArray: false) }
            return
        }
        // The agent cannot go on with half a file.
        _ = try client.upload(
            content, by: request, until: timeout.deadline,
            received: { throw ClientError.lost(socket: client.socket) })
    }

    /// The file to send; `nil` where no byte is sent. A dry run opens it, too.
    private func content() throws -> UploadFile? {
        do {
            let content = try UploadFile(path: file)
            return change.dryRun ? nil : content
        } catch FileError.empty {
            return nil
        }
    }
}

/// `vctl vm file pull`.
struct VMFilePull: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Copy a file of a guest to here.",
        discussion: "vctl vm file pull web1 /var/log/syslog syslog.txt")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var timeout: TimeoutOption
    @Flag(name: .customLong("force"), help: "Replace a file that is there.") var force = false
    @Argument(
        help: .init("Name or UUID.", valueName: "name"), completion: Live.vms, transform: Parse.reference)
    var name: Reference
    @Argument(help: .init("The absolute path in the guest.", valueName: "path")) var path: String
    @Argument(help: .init("The file here; - is standard output.", valueName: "file"), completion: .file())
    var file: String

    func run() throws {
        let request = Request(Endpoints.named("vm.file.pull"), [name.description], query: [("path", path)])
        try Download(connect.client(), timeout.deadline).run(request, to: file, force: force)
    }
}
