// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl network create`.
struct NetworkCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a network, and start it.",
        discussion: """
            vctl network create lab --model nat --subnet 10.10.0.0/24 --domain lab.test
            vctl network create deep --model isolated
            vctl network create wide --model routed --subnet6 auto
            vctl network create lan --model bridged --bridge br0

            Without --subnet the models with addresses get a free IPv4 subnet; the host has its first address.
            With --subnet6 guests choose their addresses by router advertisements, or get them by DHCPv6 from
            a --dhcp-range of that subnet.
            """)

    @Argument(help: .init("Its name.", valueName: "name"), transform: Parse.name)
    var name: Name

    @Option(
        name: .customLong("model"), help: "isolated, routed, nat or bridged.",
        completion: Parse.choices(NetworkModel.self), transform: Parse.choice)
    var model: NetworkModel

    @Option(
        name: .customLong("subnet"), help: .init("IPv4: CIDR, auto or none.", valueName: "cidr"),
        transform: Parse.subnet)
    var subnet: SubnetChoice?
    @Option(
        name: .customLong("subnet6"), help: .init("IPv6: CIDR, auto or none.", valueName: "cidr"),
        transform: Parse.subnet)
    var subnet6: SubnetChoice?
    @OptionGroup var settings: NetworkSettingOptions
    @Option(
        name: .customLong("bridge"), help: .init("The host's bridge of a bridged network.", valueName: "link")
    )
    var bridge: String?
    @Flag(name: .customLong("host-access"), help: "An isolated network with the host in it, DHCP and DNS.")
    var hostAccess = false
    @Option(
        name: .customLong("vlan"), help: .init("The VLAN of a bridged network.", valueName: "n"))
    var vlan: Int?
    @Option(name: .customLong("mtu"), help: .init("The MTU of its links.", valueName: "n"))
    var mtu: Int?
    @OptionGroup(title: "Object") var labels: LabelOptions
    @Flag(name: .customLong("start"), inversion: .prefixedNo, help: "Start it at once.")
    var start = true
    @OptionGroup var creation: CreateOptions

    func run() throws {
        try creation.run(.network, name.rawValue, missing: .networkNotFound) { try $0.json(body()) }
    }

    /// The request's body.
    func body() throws -> NetworkCreate {
        var body = NetworkCreate(name: name, model: model)
        (body.subnet, body.subnet6) = (subnet, subnet6)
        body.dhcpRanges = try settings.ranges()
        (body.ntpServers, body.routes) = (try settings.servers(), try settings.told())
        (body.domain, body.bridge, body.vlan, body.mtu) = (settings.domain, bridge, vlan, mtu)
        if hostAccess { body.hostAccess = true }
        body.labels = labels.labels
        (body.protected, body.autostart) = (settings.protect, settings.autostart)
        if !start { body.start = false }
        return body
    }
}

/// What `create` and `set` of networks have in common.
struct NetworkSettingOptions: ParsableArguments {
    @Option(
        name: .customLong("dhcp-range"),
        help: .init("A-B, or none; one of IPv4 and one of IPv6.", valueName: "range"),
        transform: Parse.range)
    var dhcpRanges: [DHCPRange?] = []
    @Option(
        name: .customLong("ntp"),
        help: .init("Time servers that DHCP names, by comma, or none.", valueName: "addresses"))
    var ntp: String?
    @Option(
        name: .customLong("route"),
        help: .init(
            "A route that DHCP tells: CIDR,via=GATEWAY; or none. May be repeated.", valueName: "route"))
    var routes: [String] = []
    @Option(name: .customLong("domain"), help: .init("The DNS domain of its guests.", valueName: "domain"))
    var domain: String?
    @Flag(name: .customLong("protect"), inversion: .prefixedNo, help: "Whether delete refuses it.")
    var protect: Bool?
    @Flag(name: .customLong("autostart"), inversion: .prefixedNo, help: "Whether it starts with the host.")
    var autostart: Bool?

    /// The time servers; `nil`: nothing was said.
    func servers() throws -> [IPAddress]? {
        guard let ntp else { return nil }
        if ntp == "none" { return [] }
        return try ntp.split(separator: ",", omittingEmptySubsequences: false).map { text in
            try Parse.refusing { () throws(InvalidValue) in try IPAddress(checking: String(text)) }
        }
    }

    /// The routes; `nil`: nothing was said.
    func told() throws -> [DHCPRoute]? {
        if routes == ["none"] { return [] }
        return try routes.isEmpty
            ? nil
            : routes.map { text in
                try Parse.refusing { () throws(InvalidValue) in try DHCPRoute(checking: text) }
            }
    }

    /// What DHCP is to give away; `nil`: nothing was said.
    func ranges() throws -> [DHCPRange]? {
        guard !dhcpRanges.contains(nil) || dhcpRanges.count == 1 else {
            throw Failure.usage("--dhcp-range none cannot stand beside another --dhcp-range")
        }
        return dhcpRanges.isEmpty ? nil : dhcpRanges.compactMap { $0 }
    }
}

/// `vctl network set`.
struct NetworkSet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change what is given.",
        discussion: """
            Labels, --protect, --autostart and --dhcp-range change under running guests. --domain, --mtu,
            --ntp and --route need --force while the network runs: it is started again, and its guests are
            connected anew.

            vctl network set lab --dhcp-range 10.10.0.100-10.10.0.199
            """)

    @OptionGroup var settings: NetworkSettingOptions
    @Option(
        name: .customLong("mtu"), help: .init("The MTU of its links, or none.", valueName: "n"),
        transform: Parse.removableNumber)
    var mtu: Removable<Int>?
    @OptionGroup var labels: LabelChanges
    @Flag(name: .customLong("force"), help: "Start the network again where that is needed.")
    var force = false
    @OptionGroup var options: NetworkActionOptions

    func run() throws {
        let patch = try patch()
        try options.run("network.set", force: force) { try $0.json(patch, as: Wire.mergePatch) }
    }

    /// The request's body.
    func patch() throws -> NetworkPatch {
        var patch = NetworkPatch()
        patch.labels = labels.changes
        (patch.protected, patch.autostart) = (settings.protect, settings.autostart)
        patch.domain = settings.domain.map { RemovableText($0 == "none" ? "" : $0) }
        patch.mtu = mtu
        patch.dhcpRanges = try settings.ranges()
        (patch.ntpServers, patch.routes) = (try settings.servers(), try settings.told())
        guard patch != NetworkPatch() else {
            throw Failure.usage(
                "nothing to change is given", hint: "vctl network set --help lists what can be changed")
        }
        return patch
    }
}
