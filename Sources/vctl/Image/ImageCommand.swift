// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl image`.
struct ImageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image", abstract: "Disk images that VMs are made from.",
        subcommands: [
            ImageImport.self, ImageList.self, ImageShow.self, ImageSet.self, ImageRename.self,
            ImageDelete.self, ImagePublish.self, ImageExport.self,
        ])
}

/// `vctl image list`.
struct ImageList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List images.")

    @OptionGroup var options: ListOptions

    @Option(
        name: .customLong("select"), help: .init("Those with this label.", valueName: "k=v"),
        transform: Parse.keyValue)
    var select: [KeyValue] = []

    @Option(name: .customLong("state"), help: "Only those in this state.", transform: Parse.choice)
    var state: ImageState?

    func run() throws {
        var query = select.map { ("label", "\($0.key)=\($0.value)") }
        if let state { query.append(("state", state.rawValue)) }
        try options.run(.image, query: query)
    }
}

/// `vctl image show`.
struct ImageShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything about images.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: .init("Names or UUIDs.", valueName: "name")) var names: [String]

    func run() throws { try ShowRun.run(.image, names, connect, output) }
}
