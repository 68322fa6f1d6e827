// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl vm nic set`.
struct VMNICSet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change a NIC.",
        discussion: """
            Network, cable, isolation, rates and anti-spoofing change at once. A running guest gets model,
            MTU, queues, VLAN and place in the boot order with its next start; until then they are pending.

            RATE is AVERAGE[,PEAK[,BURST]]: AVERAGE and PEAK in bits per second with decimal units (10M is
            10 Mbit/s), BURST a size (64K). Inbound is what the guest receives.
            """)

    @OptionGroup var options: DeviceOptions
    @Argument(help: .init("Its MAC.", valueName: "mac"), completion: Live.nics) var mac: String

    @Option(
        name: .customLong("network"), help: "The network that it shall be on.", transform: Parse.reference)
    var network: Reference?

    @Option(
        name: .customLong("bridge"), help: "The bridge of the host that it shall be on.",
        transform: Parse.link)
    var bridge: LinkName?

    @Flag(name: .customLong("link"), inversion: .prefixedNo, help: "Whether its cable is in.")
    var link: Bool?

    @Option(
        name: .customLong("model"), help: "virtio, e1000, e1000e or rtl8139.",
        completion: .list(Limits.nicModels))
    var model: String?

    @Option(
        name: .customLong("vlan"), help: .init("The tag of its VLAN, or none.", valueName: "n"),
        transform: Parse.removable(Parse.vlan))
    var vlan: Removable<VLANID>?

    @Option(
        name: .customLong("mtu"),
        help: .init("Its largest packet in bytes, or none: the network's.", valueName: "bytes"),
        transform: Parse.removable(Parse.mtu))
    var mtu: Removable<MTU>?

    @Option(
        name: .customLong("queues"), help: .init("How many queues it has, or none: one.", valueName: "n"),
        transform: Parse.removable(Parse.positive))
    var queues: Removable<Int>?

    @Flag(
        name: .customLong("isolated"), inversion: .prefixedNo,
        help: "Whether it reaches no other isolated NIC of its bridge.")
    var isolated: Bool?

    @Option(
        name: .customLong("boot"), help: .init("Its place in the boot order, or none.", valueName: "n"),
        transform: Parse.removable(Parse.positive))
    var boot: Removable<Int>?

    @Option(
        name: .customLong("inbound"),
        help: .init("What the guest may receive, or none: all.", valueName: "rate"),
        transform: Parse.removable(Parse.rate))
    var inbound: Removable<RateLimit>?

    @Option(
        name: .customLong("outbound"),
        help: .init("What the guest may send, or none: all.", valueName: "rate"),
        transform: Parse.removable(Parse.rate))
    var outbound: Removable<RateLimit>?

    @Flag(
        name: .customLong("anti-spoofing"), inversion: .prefixedNo,
        help: "Whether it may send only with its own MAC and addresses.")
    var antiSpoofing: Bool?

    @Option(
        name: .customLong("ip"),
        help: .init(
            "Addresses that are its own beside those that DHCP gives it, or none.", valueName: "a,b"),
        transform: Parse.removable(Parse.addresses))
    var ip: Removable<[IPAddress]>?

    @Option(
        name: .customLong("sg"),
        help: .init("Its security groups, or none: everything may come in.", valueName: "a,b"),
        transform: Parse.removable(Parse.groups))
    var groups: Removable<[Name]>?

    func patch() throws -> VMNICPatch {
        var patch = VMNICPatch()
        (patch.network, patch.bridge, patch.link, patch.model) = (network, bridge, link, model)
        (patch.vlan, patch.mtu, patch.queues, patch.boot) = (vlan, mtu, queues, boot)
        (patch.isolated, patch.inbound, patch.outbound) = (isolated, inbound, outbound)
        (patch.antiSpoofing, patch.ip, patch.securityGroups) = (antiSpoofing, ip, groups)
        guard patch != VMNICPatch() else {
            throw Failure.usage(
                "nothing to change is given", hint: "vctl help vm nic set names what there is")
        }
        return patch
    }

    func run() throws {
        let patch = try patch()
        try options.run("vm.nic.set", [mac]) { try $0.json(patch, as: Wire.mergePatch) }
    }
}
