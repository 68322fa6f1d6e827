// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl pool`.
struct PoolCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pool", abstract: "Pools that disks and volumes are in.",
        discussion: """
            Pools of libvirt that others made are shown, and disks can be in them; vctl changes them only once
            they are adopted.
            """,
        subcommands: [
            PoolCreateCommand.self, PoolList.self, PoolShow.self, PoolSet.self, PoolStart.self, PoolStop.self,
            PoolRefresh.self, PoolDelete.self, PoolAdoptCommand.self, PoolRelease.self,
        ])
}

/// `vctl pool create`.
struct PoolCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a pool, and start it.",
        discussion: """
            vctl pool create fast --type dir --target /srv/fast

            A directory is made where there is none; what is in one already becomes the pool's volumes. It has
            to be below one of storage.allowed_paths, and neither in another pool's directory nor around it.
            """)

    @Argument(help: .init("Its name.", valueName: "name"), transform: Parse.name)
    var name: Name

    @Option(
        name: .customLong("type"), help: "dir.", completion: Parse.choices(PoolType.self),
        transform: Parse.choice)
    var type: PoolType

    @Option(
        name: .customLong("source"),
        help: .init("What it is made of; of a directory the same as --target.", valueName: "source"))
    var source: String?
    @Option(
        name: .customLong("target"), help: .init("The directory for its volumes.", valueName: "dir"),
        completion: .directory)
    var target: String?
    @OptionGroup var settings: PoolSettingOptions
    @OptionGroup(title: "Object") var labels: LabelOptions
    @Flag(name: .customLong("start"), inversion: .prefixedNo, help: "Start it at once.")
    var start = true
    @OptionGroup var creation: CreateOptions

    func run() throws {
        try creation.run(.pool, name.rawValue, missing: .poolNotFound) { try $0.json(body()) }
    }

    /// The request's body.
    func body() -> PoolCreate {
        var body = PoolCreate(name: name, type: type)
        (body.source, body.target, body.labels) = (source, target, labels.labels)
        (body.protected, body.autostart) = (settings.protect, settings.autostart)
        if !start { body.start = false }
        return body
    }
}

/// What `create` and `set` of pools have in common.
struct PoolSettingOptions: ParsableArguments {
    @Flag(name: .customLong("protect"), inversion: .prefixedNo, help: "Whether delete refuses it.")
    var protect: Bool?
    @Flag(name: .customLong("autostart"), inversion: .prefixedNo, help: "Whether it starts with the host.")
    var autostart: Bool?
}

/// `vctl pool list`.
struct PoolList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List pools.",
        discussion: """
            With --check the exit code is for monitoring systems: 0 all is well, 1 warning, 2 critical, 3
            nobody knows. A pool is a warning where it is 80 % full, or stopped although it starts with the
            host, and critical where it is 95 % full, or gone.
            """)

    @OptionGroup var options: ListOptions

    @Option(
        name: .customLong("select"), help: .init("Those with this label.", valueName: "k=v"),
        transform: Parse.keyValue)
    var select: [KeyValue] = []

    @Option(
        name: .customLong("state"), help: "Only those in this state.",
        completion: Parse.choices(PoolState.self), transform: Parse.choice)
    var state: PoolState?

    @Flag(name: .customLong("check"), help: "End with a code that says how they are.")
    var check = false

    func run() throws {
        var query = select.map { ("label", "\($0.key)=\($0.value)") }
        if let state { query.append(("state", state.rawValue)) }
        guard check else { return try options.run(.pool, query: query) }
        var worst = PoolHealth.ok
        do {
            try options.run(.pool, query: query, needed: ["health", "name", "problem"]) { row in
                let health = row["health"]?.text.flatMap(PoolHealth.init(rawValue:)) ?? .unknown
                Self.say(row, health)
                if health.weight > worst.weight { worst = health }
                return true
            }
        } catch {
            for line in Failure(error).lines { Standard.error(line) }
            worst = .unknown
        }
        if let exit = ExitCode(rawValue: worst.code), exit != .success { throw Ended(exit: exit) }
    }

    private static func say(_ row: JSONNode, _ health: PoolHealth) {
        guard health != .ok else { return }
        let name = shown(row["name"]?.text ?? "?")
        let problem = row["problem"]?.text.map { ": \(shown($0, limit: 300))" } ?? ""
        Standard.error("\(health.rawValue): pool \(name)\(problem)")
    }
}

extension PoolHealth {
    /// What is known to be lost weighs more than what nobody knows.
    fileprivate var weight: Int {
        switch self {
        case .ok: 0
        case .warning: 1
        case .unknown: 2
        case .critical: 3
        }
    }

    /// What monitoring systems take it for.
    fileprivate var code: Int32 {
        switch self {
        case .ok: 0
        case .warning: 1
        case .critical: 2
        case .unknown: 3
        }
    }
}

/// `vctl pool show`.
struct PoolShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything about pools.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.pools)
    var names: [String]

    func run() throws { try ShowRun.run(.pool, names, connect, output) }
}

/// `vctl pool delete`.
struct PoolDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete pools in which no VM has a disk; what is in them stays.")

    @OptionGroup var options: DeleteOptions
    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.pools)
    var names: [String]

    @Flag(name: .customLong("with-data"), help: "Delete their volumes, too.")
    var withData = false

    @Flag(
        name: .customLong("force"),
        help: "Although it is protected; with --with-data also volumes that vctl did not make.")
    var force = false

    func run() throws {
        let query = [("withData", withData), ("force", force)].filter(\.1).map { ($0.0, "true") }
        try options.run(
            .pool, names, with: withData ? " with all volumes" : "", missing: .poolNotFound, query: query)
    }
}
