// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI

/// `vctl vm start`.
struct VMStartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start VMs; a suspended one goes on where it was.",
        discussion: """
            With --rescue or --rescue-image a VM boots this once from an ISO on the host or from an image,
            with its own disks behind. Its saved definition stays as it is, so the next start is from its own
            disks again. What the VM writes on the image's disk is thrown away when it stops.

            vctl vm start web1 --rescue-image debian
            """,
        aliases: ["restore"])

    @OptionGroup var options: ActionOptions

    @Flag(name: .customLong("paused"), help: "Do not run the first instruction yet.")
    var paused = false

    @Flag(name: .customLong("discard-state"), help: "Throw away the memory of a suspended VM.")
    var discardState = false

    @Option(
        name: .customLong("rescue"), help: .init("Boot this once from an ISO on the host.", valueName: "path")
    )
    var rescue: String?

    @Option(
        name: .customLong("rescue-image"),
        help: .init("Boot this once from an image.", valueName: "image"), completion: Live.images,
        transform: Parse.reference)
    var rescueImage: Reference?

    func run() throws {
        guard rescue == nil || rescueImage == nil else {
            throw Failure.usage("--rescue and --rescue-image do not go together", hint: "give one of them")
        }
        var body = VMStart()
        body.rescueISO = rescue
        body.rescueImage = rescueImage
        if paused { body.paused = true }
        if discardState { body.discardState = true }
        try options.run("vm.start", body)
    }
}
