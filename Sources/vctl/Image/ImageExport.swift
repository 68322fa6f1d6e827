// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl image export`.
struct ImageExport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write an image into a file here.",
        discussion: "vctl image export debian debian.qcow2")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var timeout: TimeoutOption
    @Argument(
        help: .init("Name or UUID.", valueName: "name"), completion: Live.images,
        transform: Parse.reference) var name: Reference
    @Argument(help: .init("The file; - is standard output.", valueName: "file"), completion: .file())
    var file: String
    @Flag(name: .customLong("force"), help: "Replace a file that is there.") var force = false

    func run() throws {
        let request = Request(Endpoints.named("image.export"), [name.description])
        try Download(connect.client(), timeout.deadline).run(request, to: file, force: force)
    }
}
