// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl securitygroup`.
struct SecurityGroupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "securitygroup", abstract: "What may come in to NICs.",
        discussion: """
            vctl securitygroup create web --allow tcp/80 --allow "tcp/22 from 10.0.0.0/8" --allow icmp

            Nothing comes in to a NIC with groups but what one of them allows, and answers to what its guest
            has asked. A rule is tcp/22, udp/5000-5010, icmp or any, and "from 10.0.0.0/8" behind it where
            only some may send it. A change counts at once; open flows that no rule allows any more are cut.
            """,
        subcommands: [
            SecurityGroupCreateCommand.self, SecurityGroupList.self, SecurityGroupShow.self,
            SecurityGroupSet.self, SecurityGroupDelete.self,
        ], aliases: ["sg"])
}

/// `vctl securitygroup create`.
struct SecurityGroupCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a security group.")

    @Argument(help: .init("Its name.", valueName: "name"), transform: Parse.name)
    var name: Name
    @Option(
        name: .customLong("allow"), help: .init("What may come in; may be repeated.", valueName: "rule"),
        transform: Parse.rule)
    var allow: [SecurityRule] = []
    @OptionGroup(title: "Object") var labels: LabelOptions
    @Option(name: .customLong("description"), help: "What this group is for.")
    var description: String?
    @OptionGroup var creation: CreateOptions

    func run() throws {
        var body = SecurityGroupCreate(name: name)
        (body.description, body.labels, body.rules) = (description, labels.labels, allow)
        try creation.run(.securityGroup, name.rawValue, missing: .securityGroupNotFound) {
            try $0.json(body)
        }
    }
}

/// `vctl securitygroup list`.
struct SecurityGroupList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List security groups.")

    @OptionGroup var options: ListOptions
    @Option(
        name: .customLong("select"), help: .init("Those with this label.", valueName: "k=v"),
        transform: Parse.keyValue)
    var select: [KeyValue] = []

    func run() throws {
        try options.run(.securityGroup, query: select.map { ("label", "\($0.key)=\($0.value)") })
    }
}

/// `vctl securitygroup show`.
struct SecurityGroupShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything about security groups.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.securityGroups)
    var names: [String]

    func run() throws { try ShowRun.run(.securityGroup, names, connect, output) }
}

/// `vctl securitygroup set`.
struct SecurityGroupSet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change what may come in.",
        discussion: """
            --allow and --disallow add rules and take them away; --no-rules takes all away first.

            vctl securitygroup set web --allow tcp/443 --disallow tcp/80
            """)

    @Option(
        name: .customLong("allow"), help: .init("Also this may come in; may be repeated.", valueName: "rule"),
        transform: Parse.rule)
    var allow: [SecurityRule] = []
    @Option(
        name: .customLong("disallow"), help: .init("A rule that goes; may be repeated.", valueName: "rule"),
        transform: Parse.rule)
    var disallow: [SecurityRule] = []
    @Flag(name: .customLong("no-rules"), help: "Take all rules away first.")
    var noRules = false
    @OptionGroup var labels: LabelChanges
    @Option(name: .customLong("description"), help: "What this group is for.")
    var description: String?
    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.securityGroups)
    var names: [String]

    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connect: ConnectOptions

    func run() throws {
        let changesRules = noRules || !allow.isEmpty || !disallow.isEmpty
        guard changesRules || description != nil || labels.changes != nil else {
            throw Failure.usage("nothing to change is given", hint: "--allow RULE, --disallow RULE")
        }
        let client = connect.client()
        let jobs = try checkedReferences(names).map { name in
            var patch = SecurityGroupPatch()
            patch.description = description.map(RemovableText.init)
            patch.labels = labels.changes
            var request = Request(Endpoints.named("securitygroup.set"), [name], query: wait.change.query)
            if changesRules {
                let reply = try client.send(Request(Endpoints.named("securitygroup.show"), [name]))
                patch.rules = try rules(from: try reply.decoded(as: SecurityGroup.self))
                if let etag = reply.head["ETag"] { request = request.header("If-Match", etag) }
            }
            return Job(name: name, request: try request.json(patch, as: Wire.mergePatch))
        }
        try Batch(client, .securityGroup, output, wait).run(jobs)
    }

    /// - Throws: a ``Failure`` for a rule that is to go and is not there.
    private func rules(from group: SecurityGroup) throws -> [SecurityRule] {
        var rules = noRules ? [] : group.rules
        for rule in disallow {
            guard let index = rules.firstIndex(of: rule) else {
                let known = rules.map(\.description).joined(separator: ", ")
                throw Failure.usage("\(group.name) has no rule \"\(rule)\"", hint: "its rules are: \(known)")
            }
            rules.remove(at: index)
        }
        return rules + allow.filter { !rules.contains($0) }
    }
}

/// `vctl securitygroup delete`.
struct SecurityGroupDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete security groups that no NIC has.")

    @OptionGroup var options: DeleteOptions
    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.securityGroups)
    var names: [String]

    func run() throws { try options.run(.securityGroup, names, missing: .securityGroupNotFound) }
}
