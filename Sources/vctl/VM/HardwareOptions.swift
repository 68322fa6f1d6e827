// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI

/// How the first disk is made.
enum CloneFlag: String, EnumerableFlag {
    case linked, full

    static func help(for value: CloneFlag) -> ArgumentHelp? {
        switch value {
        case .linked: "The disk reads from the image what it has not written (default)."
        case .full: "The disk is a copy that stands alone."
        }
    }
}

/// What a new VM consists of.
struct HardwareOptions: ParsableArguments {
    @Option(
        name: .customLong("image"), help: .init("Make the first disk from this image.", valueName: "image"),
        completion: Live.images, transform: Parse.reference)
    var image: Reference?

    @Option(
        name: .customLong("cdrom"), help: .init("An ISO on the host.", valueName: "path"), completion: .file()
    )
    var cdrom: String?

    @Option(name: .customLong("import"), help: .init("An existing disk on the host.", valueName: "volume"))
    var imported: String?

    @Flag(exclusivity: .exclusive) var clone: CloneFlag?

    @OptionGroup var machine: MachineOptions

    @Option(
        name: .customLong("disk"), parsing: .unconditionalSingleValue,
        help: .init(
            "SIZE[,pool=][,bus=][,format=][,preallocation=]; the first one sizes the image's disk.",
            valueName: "disk"),
        transform: Parse.disk)
    var disks: [DiskSpec] = []

    @Option(
        name: .customLong("network"),
        help: .init("\(Parse.networkHelp); or none.", valueName: "network"), transform: Parse.network)
    var networks: [NICSpec?] = []

    /// - Throws: a ``Failure`` where flags do not go together.
    /// - Parameter hasProfile: whether there may be an image that the command line does not name.
    func check(hasProfile: Bool = false) throws {
        guard !networks.contains(nil) || networks.count == 1 else {
            throw Failure.usage("--network none cannot stand beside another --network")
        }
        guard clone == nil || image != nil || hasProfile else {
            throw Failure.usage(
                "--linked and --full say how a disk is made from an image", hint: "add --image IMAGE")
        }
        guard machine.kernel != nil || (machine.initrd == nil && machine.cmdline == nil) else {
            throw Failure.usage("--initrd and --cmdline need --kernel")
        }
    }

    func fill(_ body: inout VMCreate) {
        body.image = image
        body.clone = clone.map { $0 == .full ? .full : .linked }
        body.cdrom = cdrom
        body.import = imported
        body.disks = disks.isEmpty ? nil : disks
        body.networks = networks.isEmpty ? nil : networks.compactMap { $0 }
        machine.fill(&body)
    }
}
