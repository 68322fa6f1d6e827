// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// What the verbs understand that work on one volume.
struct VolumeOptions: ParsableArguments {
    @OptionGroup var target: VolumeTarget
    @OptionGroup var output: OutputOptions

    /// Sends a request about it, and prints the volume that came of it.
    func run(_ endpoint: String, force: Bool = false, _ body: some Encodable) throws {
        try target.run(endpoint, force: force, output, body)
    }
}

/// The same without how it is printed.
struct VolumeTarget: ParsableArguments {
    @OptionGroup var connect: ConnectOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var key: KeyOption

    @Argument(help: .init("POOL/NAME.", valueName: "volume"), completion: Live.volumes) var volume: String

    func run(
        _ endpoint: String, force: Bool = false, _ output: OutputOptions, _ body: some Encodable
    ) throws {
        let query = wait.change.query + (force ? [("force", "true")] : [])
        let parameters = try VolumeName.parameters(volume)
        var request = try Request(Endpoints.named(endpoint), parameters, query: query).json(body)
        if !wait.dryRun { request = try request.keyed(key.key) }
        try Batch(connect.client(), .volume, output, wait).run([Job(name: volume, request: request)])
    }
}

/// `vctl volume clone`.
struct VolumeCloneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clone", abstract: "Make a volume from another one that no running VM has.",
        discussion: """
            vctl volume clone fast/golden fast/copy1
            vctl volume clone fast/golden fast/thin1 --linked

            A full clone stands alone. A linked one is there at once and reads from the other volume what it
            has not written itself; no VM may write to that one any more, and it cannot be deleted before the
            clone is, or is flattened.
            """)

    @OptionGroup var source: VolumeTarget
    @Argument(
        help: .init("POOL/NAME of the new one.", valueName: "new"), completion: Live.poolPrefixes,
        transform: VolumeName.parse)
    var new: VolumeName

    @Flag(exclusivity: .exclusive) var how: How?
    @OptionGroup var format: VolumeFormatOptions
    @OptionGroup(title: "Object") var labels: LabelOptions
    @Flag(name: .customLong("force"), help: "Also where a guest may have said what it reads from.")
    var force = false

    enum How: String, EnumerableFlag {
        case linked, full

        static func help(for value: How) -> ArgumentHelp? {
            switch value {
            case .linked: "It reads from the other volume what it has not written."
            case .full: "It stands alone."
            }
        }
    }

    func run() throws {
        var body = VolumeClone(name: try Name(new.name))
        (body.pool, body.format, body.labels) = (new.pool, format.stored, labels.labels)
        body.clone = how.map { $0 == .linked ? .linked : .full }
        try source.run("volume.clone", force: force, format.output, body)
    }
}

/// `vctl volume flatten`.
struct VolumeFlatten: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flatten", abstract: "Let a linked clone stand alone.",
        discussion: "vctl volume flatten fast/thin1")

    @OptionGroup var options: VolumeOptions
    @Flag(name: .customLong("force"), help: "Also where a guest may have said what it reads from.")
    var force = false

    func run() throws { try options.run("volume.flatten", force: force, Empty()) }
}

/// `vctl volume wipe`.
struct VolumeWipe: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wipe", abstract: "Overwrite all data of a volume that nobody needs.",
        discussion: """
            The volume stays, and is empty. What a device or file system keeps of what was overwritten is
            theirs: a copy-on-write file system, a snapshot of it or a flash disk may have it still.
            """)

    @OptionGroup var options: VolumeOptions
    @OptionGroup var confirm: YesOption

    func run() throws {
        if !options.target.wait.dryRun {
            try Confirmation.need(confirm, "overwrite all data of \(shown(options.target.volume))?")
        }
        try options.run("volume.wipe", Empty())
    }
}

/// `vctl volume upload`.
struct VolumeUpload: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upload", abstract: "Make a volume of a file here.",
        discussion: """
            vctl volume upload fast/sent data1.qcow2

            The file is qcow2 or raw, and stands alone; it becomes the volume as it is, once all of it is
            there and has the checksum. A volume that is there is never replaced.
            """)

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var wait: WaitOptions
    @Option(
        name: .customLong("checksum"), help: .init("What the file must have.", valueName: "sha256:…"),
        transform: Parse.checksum)
    var checksum: Checksum?
    @Argument(help: .init("POOL/NAME.", valueName: "volume"), completion: Live.poolPrefixes) var volume:
        String
    @Argument(help: .init("The file here.", valueName: "file"), completion: .file()) var file: String

    func run() throws {
        guard !wait.dryRun else {
            throw Failure.usage(
                "whether a file can be a volume is known once it is sent", hint: "leave --dry-run out")
        }
        let (client, content) = (connect.client(), try UploadFile(path: file))
        let batch = Batch(client, .volume, output, wait)
        let query = checksum.map { [("checksum", "\($0)")] } ?? []
        let request = Request(
            Endpoints.named("volume.upload"), try VolumeName.parameters(volume), query: query)
        let line = ProgressLine(volume)
        defer { line.clear() }
        let reply = try client.upload(
            content, by: request, until: wait.deadline,
            // What came of half a file is gone.
            received: { throw ClientError.lost(socket: client.socket) },
            report: { line.show(phase: "uploading", done: $0, total: content.size, inBytes: true) })
        line.clear()
        try batch.finish(volume, try batch.outcome(reply))
    }
}

/// `vctl volume download`.
struct VolumeDownload: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "download", abstract: "Write a volume that no running VM has into a file here.",
        discussion: "vctl volume download fast/data1 data1.qcow2")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var timeout: TimeoutOption
    @Argument(help: .init("POOL/NAME.", valueName: "volume"), completion: Live.volumes) var volume: String
    @Argument(help: .init("The file; - is standard output.", valueName: "file"), completion: .file())
    var file: String
    @Flag(name: .customLong("force"), help: "Replace a file that is there.") var force = false

    func run() throws {
        let request = Request(Endpoints.named("volume.download"), try VolumeName.parameters(volume))
        try Download(connect.client(), timeout.deadline).run(request, to: file, force: force)
    }
}
