// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl volume`.
struct VolumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "volume", abstract: "Disks and files in pools, each named POOL/NAME.",
        discussion: """
            A VM gets an existing volume by its path, with vctl vm disk add --path, and its own new ones by
            the pool's name.
            """,
        subcommands: [
            VolumeCreateCommand.self, VolumeList.self, VolumeShow.self, VolumeResizeCommand.self,
            VolumeCloneCommand.self, VolumeFlatten.self, VolumeUpload.self, VolumeDownload.self,
            VolumeWipe.self,
            VolumeDelete.self,
        ],
        aliases: ["vol"])
}

/// `POOL/NAME` on the command line.
struct VolumeName: Hashable, Sendable {
    let pool: Reference
    let name: String

    static func parse(_ text: String) throws -> VolumeName {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        guard parts.count == 2, !parts[1].isEmpty else { throw Parse.Refused(description: "write POOL/NAME") }
        return VolumeName(pool: try Parse.reference(parts[0]), name: parts[1])
    }

    /// What stands for it in a path of the API.
    static func parameters(_ text: String) throws -> [String] {
        do {
            let volume = try parse(text)
            return [volume.pool.description, volume.name]
        } catch let error as Parse.Refused {
            throw Failure.usage(
                "\"\(shown(text))\" is no volume: \(error.description)", hint: "vctl volume list")
        }
    }
}

/// `vctl volume create`.
struct VolumeCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make an empty volume.",
        discussion: """
            vctl volume create fast/data1 --size 20G
            vctl volume create fast/data2 --size 64M --format raw --preallocation full
            """)

    @Argument(
        help: .init("POOL/NAME.", valueName: "volume"), completion: Live.poolPrefixes,
        transform: VolumeName.parse)
    var volume: VolumeName

    @Option(
        name: .customLong("size"), help: .init("What a guest sees.", valueName: "size"),
        transform: Parse.size)
    var size: ByteCount
    @Option(
        name: .customLong("preallocation"), help: "off, metadata, falloc or full; off without it.",
        completion: Parse.choices(Preallocation.self), transform: Parse.choice)
    var preallocation: Preallocation?
    @OptionGroup var format: VolumeFormatOptions
    @OptionGroup(title: "Object") var labels: LabelOptions
    @OptionGroup var creation: CreateBasics

    func run() throws {
        let name = try Name(volume.name)
        var body = VolumeCreate(name: name, sizeBytes: size)
        (body.format, body.preallocation, body.labels) = (format.stored, preallocation, labels.labels)
        let fullName = "\(volume.pool)/\(volume.name)"
        try creation.run(
            .volume, fullName, in: [volume.pool.description], missing: .volumeNotFound, format.output
        ) { try $0.json(body) }
    }
}

/// `vctl volume list`.
struct VolumeList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the volumes of all pools, or of one.")

    @OptionGroup var options: ListOptions

    @Argument(help: .init("The pool's name or UUID.", valueName: "pool"), completion: Live.pools)
    var pool: String?

    @Option(
        name: .customLong("select"), help: .init("Those with this label.", valueName: "k=v"),
        transform: Parse.keyValue)
    var select: [KeyValue] = []

    func run() throws {
        let query = select.map { ("label", "\($0.key)=\($0.value)") }
        guard let pool else { return try options.run(.volume, query: query) }
        let names = try checkedReferences([pool])
        try options.run(.volume, "pool.volumes", names, query: query)
    }
}

/// `vctl volume show`.
struct VolumeShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything about volumes.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: .init("POOL/NAME.", valueName: "volume"), completion: Live.volumes)
    var names: [String]

    func run() throws { try ShowRun.run(.volume, names, connect, output) }
}

/// `vctl volume resize`.
struct VolumeResizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resize", abstract: "Make a volume that no running VM has another size.",
        discussion: """
            A disk of a running VM grows by vctl vm disk resize. A volume gets smaller only with --force, and
            never than its data: shrink what is in it before.
            """)

    @OptionGroup var options: VolumeOptions
    @Argument(help: .init("The new size.", valueName: "size"), transform: Parse.size) var size: ByteCount

    @Flag(name: .customLong("force"), help: "Also make it smaller.")
    var force = false

    func run() throws { try options.run("volume.resize", force: force, VolumeResize(sizeBytes: size)) }
}

/// `vctl volume delete`.
struct VolumeDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete volumes that nobody needs, with their data.")

    @OptionGroup var options: DeleteOptions
    @Argument(help: .init("POOL/NAME.", valueName: "volume"), completion: Live.volumes)
    var names: [String]

    func run() throws {
        try options.run(
            .volume, names, with: " with the data", missing: .volumeNotFound, parent: .poolNotFound)
    }
}
