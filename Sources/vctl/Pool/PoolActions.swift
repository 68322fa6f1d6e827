// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// What the verbs understand that change one pool or several.
struct PoolActionOptions: ParsableArguments {
    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var key: KeyOption

    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.pools)
    var names: [String]

    /// Sends a request about each pool.
    func run(_ endpoint: String, force: Bool = false, _ fill: (Request) throws -> Request) throws {
        let names = try checkedReferences(names)
        guard key.key == nil || names.count < 2 else {
            throw Failure.usage("--idempotency-key is for one pool", hint: "leave it out, or name one pool")
        }
        let query = wait.change.query + (force ? [("force", "true")] : [])
        let jobs = try names.map { name in
            let request = try fill(Request(Endpoints.named(endpoint), [name], query: query))
            let isPost = Endpoints.named(endpoint).method == .post && !wait.dryRun
            return Job(name: name, request: isPost ? try request.keyed(key.key) : request)
        }
        try Batch(connect.client(), .pool, output, wait).run(jobs)
    }
}

/// `vctl pool set`.
struct PoolSet: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "set", abstract: "Change what is given.")

    @OptionGroup var settings: PoolSettingOptions
    @OptionGroup var labels: LabelChanges
    @OptionGroup var options: PoolActionOptions

    func run() throws {
        var patch = PoolPatch()
        patch.labels = labels.changes
        (patch.protected, patch.autostart) = (settings.protect, settings.autostart)
        guard patch != PoolPatch() else {
            throw Failure.usage(
                "nothing to change is given", hint: "vctl pool set --help lists what can be changed")
        }
        try options.run("pool.set") { try $0.json(patch, as: Wire.mergePatch) }
    }
}

/// `vctl pool start`.
struct PoolStart: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "start", abstract: "Start pools.")

    @OptionGroup var options: PoolActionOptions

    func run() throws { try options.run("pool.start") { try $0.json(Empty()) } }
}

/// `vctl pool stop`.
struct PoolStop: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop pools in which no running VM has a disk.")

    @OptionGroup var options: PoolActionOptions

    @Flag(name: .customLong("force"), help: "Although running VMs have disks in it.")
    var force = false

    func run() throws { try options.run("pool.stop", force: force) { try $0.json(Empty()) } }
}

/// `vctl pool refresh`.
struct PoolRefresh: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refresh", abstract: "Let libvirt look again at what is in pools.",
        discussion: """
            What comes and goes in a directory is seen without it, and libvirt told so of pools that vctl
            manages. In others virsh shows what libvirt saw when somebody last refreshed them.

            A pool is missing while another directory is at its place than the one with its volumes, as where
            its file system is not mounted. --force takes the one that is there now: of volumes that others
            made nothing is known then any more.
            """)

    @OptionGroup var options: PoolActionOptions

    @Flag(name: .customLong("force"), help: "Take the directory that is there now.")
    var force = false

    func run() throws { try options.run("pool.refresh", force: force) { try $0.json(Empty()) } }
}

/// `vctl pool adopt`.
struct PoolAdoptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt", abstract: "Take over pools that virsh or others made.",
        discussion: """
            libvirt's definition stays as it is, and the volumes in it stay those of who made them.
            """)

    @OptionGroup var options: PoolActionOptions
    @OptionGroup var labels: LabelOptions

    func run() throws {
        var adopt = PoolAdopt()
        adopt.labels = labels.labels
        try options.run("pool.adopt") { try $0.json(adopt) }
    }
}

/// `vctl pool release`.
struct PoolRelease: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Give pools back: vctl changes them no more.")

    @OptionGroup var options: PoolActionOptions

    func run() throws { try options.run("pool.release") { try $0.json(Empty()) } }
}
