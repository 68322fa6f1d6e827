// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl profile`.
struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile", abstract: "Defaults for new VMs.",
        discussion: """
            vctl profile create small --image debian --cpus 1 --memory 1G --user ada --ssh-key ada.pub
            vctl vm create app1 --profile small --memory 2G

            What the command line of vm create says wins over the profile. VMs keep what they were made with
            when the profile changes, or goes. What cloud-init is told is kept where only root can read it,
            and shown to nobody.
            """,
        subcommands: [
            ProfileCreateCommand.self, ProfileList.self, ProfileShow.self, ProfileSet.self,
            ProfileDelete.self,
        ])
}

/// `vctl profile create`.
struct ProfileCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a profile.")

    @Argument(help: .init("Its name.", valueName: "name"), transform: Parse.name)
    var name: Name

    @OptionGroup var settings: ProfileSettingOptions
    @OptionGroup(title: "Object") var labels: LabelOptions
    @Option(name: .customLong("description"), help: "What this profile is for.")
    var description: String?
    @OptionGroup var creation: CreateOptions

    func run() throws {
        try creation.run(.profile, name.rawValue, missing: .profileNotFound) { try $0.json(body()) }
    }

    /// The request's body; reads the files.
    func body() throws -> ProfileCreate {
        try settings.keeping.checkOfNew()
        var body = ProfileCreate(name: name)
        body.settings = try settings.settings()
        (body.cloudInit, body.networkConfig) = try settings.texts()
        body.description = description
        body.labels = labels.labels
        return body
    }
}

/// `vctl profile list`.
struct ProfileList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List profiles.")

    @OptionGroup var options: ListOptions

    @Option(
        name: .customLong("select"), help: .init("Those with this label.", valueName: "k=v"),
        transform: Parse.keyValue)
    var select: [KeyValue] = []

    func run() throws {
        try options.run(.profile, query: select.map { ("label", "\($0.key)=\($0.value)") })
    }
}

/// `vctl profile show`.
struct ProfileShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything about profiles.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.profiles)
    var names: [String]

    func run() throws { try ShowRun.run(.profile, names, connect, output) }
}

/// `vctl profile set`.
struct ProfileSet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change what is given.",
        discussion: """
            --unset takes settings away by the names that show --format json has for them; cloudInit and
            networkConfig are such names, too.

            vctl profile set small --memory 2G --unset maxMemoryBytes
            """)

    @OptionGroup var settings: ProfileSettingOptions
    @OptionGroup var labels: LabelChanges
    @Option(name: .customLong("description"), help: "What this profile is for.")
    var description: String?
    @Option(
        name: .customLong("rename"), help: .init("Its new name.", valueName: "name"), transform: Parse.name)
    var newName: Name?
    @Option(
        name: .customLong("unset"), help: .init("Take a setting away; may be repeated.", valueName: "setting")
    )
    var unset: [String] = []
    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.profiles)
    var names: [String]

    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connect: ConnectOptions

    func run() throws {
        let patch = try patch()
        guard newName == nil || names.count == 1 else { throw Failure.usage("--rename is for one profile") }
        let jobs = try checkedReferences(names).map { name in
            let request = Request(Endpoints.named("profile.set"), [name], query: wait.change.query)
            return Job(name: name, request: try request.json(patch, as: Wire.mergePatch))
        }
        try Batch(connect.client(), .profile, output, wait).run(jobs)
    }

    /// The request's body; reads the files.
    func patch() throws -> ProfilePatch {
        let new = try settings.settings()
        var patch = ProfilePatch()
        (patch.cloudInit, patch.networkConfig) = try settings.texts()
        var change = ProfileSettingsPatch(new)
        for name in unset + settings.keeping.removed {
            switch name {
            case "cloudInit": patch.cloudInit = Secret("")
            case "networkConfig": patch.networkConfig = Secret("")
            default:
                guard change.remove(name) else {
                    let known = (ProfileSettingsPatch.names + ["cloudInit", "networkConfig"]).joined(
                        separator: ", ")
                    throw Failure.usage("there is no setting \"\(shown(name))\"", hint: "known are \(known)")
                }
            }
        }
        patch.name = newName
        patch.description = description.map(RemovableText.init)
        patch.labels = labels.changes
        if change != ProfileSettingsPatch(ProfileSettings()) { patch.settings = change }
        let given: [Any?] = [
            patch.name, patch.description, patch.labels, patch.settings, patch.cloudInit, patch.networkConfig,
        ]
        guard given.contains(where: { $0 != nil }) else {
            throw Failure.usage(
                "nothing to change is given", hint: "vctl profile set --help lists what can be changed")
        }
        return patch
    }
}

/// `vctl profile delete`.
struct ProfileDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete profiles; VMs that were made with them stay.")

    @OptionGroup var options: DeleteOptions
    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.profiles)
    var names: [String]

    func run() throws { try options.run(.profile, names, missing: .profileNotFound) }
}
