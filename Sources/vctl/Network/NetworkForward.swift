// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl network forward`.
struct NetworkForwardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forward", abstract: "Ports of the host that lead to VMs.",
        subcommands: [NetworkForwardAdd.self, NetworkForwardList.self, NetworkForwardRemove.self])
}

/// The host's side of a forward: `8080`, `192.0.2.1:8080`, `[::]:8000-8010`.
struct ForwardPlace: Hashable, Sendable {
    var address: IPAddress?
    var ports: PortRange

    static func parse(_ text: String) throws -> ForwardPlace {
        let wrong = Parse.Refused(description: "write [ADDRESS:]PORT[-PORT], an IPv6 address in brackets")
        guard let colon = text.lastIndex(of: ":") else {
            return ForwardPlace(address: nil, ports: try ports(text))
        }
        var host = String(text[..<colon])
        let isIPv6 = host.hasPrefix("[") && host.hasSuffix("]")
        if isIPv6 { host = String(host.dropFirst().dropLast()) }
        guard let address = IPAddress(host), (address.family == .ipv6) == isIPv6 else { throw wrong }
        return ForwardPlace(address: address, ports: try ports(String(text[text.index(after: colon)...])))
    }

    private static func ports(_ text: String) throws -> PortRange {
        do {
            return try PortRange(checking: text)
        } catch {
            throw Parse.Refused(description: error.problem)
        }
    }
}

/// The VM's side of a forward: `web1:80`.
struct ForwardTarget: Hashable, Sendable {
    var vm: Reference
    var port: Int

    static func parse(_ text: String) throws -> ForwardTarget {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (1...65_535).contains(port)
        else { throw Parse.Refused(description: "write VM:PORT") }
        return ForwardTarget(vm: try Parse.reference(String(text[..<colon])), port: port)
    }
}

/// `vctl network forward add`.
struct NetworkForwardAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Let ports of the host lead to a VM.",
        discussion: """
            The VM's address is kept for it from then on. From outside, from the host and from guests the port
            is the VM's; a program of the host that listens on it is a reason to refuse.
            """)

    @OptionGroup var options: NetworkPartOptions
    @Argument(help: "tcp or udp.", completion: Parse.choices(TransportProtocol.self), transform: Parse.choice)
    var transport: TransportProtocol
    @Argument(
        help: .init("[ADDRESS:]PORT[-PORT] of the host.", valueName: "port"), transform: ForwardPlace.parse)
    var place: ForwardPlace
    @Argument(help: .init("Where it leads: VM:PORT.", valueName: "vm:port"), transform: ForwardTarget.parse)
    var target: ForwardTarget

    func run() throws {
        var body = NetworkForwardCreate(protocol: transport, ports: place.ports, vm: target.vm)
        (body.address, body.vmPort) = (place.address, target.port)
        try options.run("network.forward.add") { try $0.json(body) }
    }
}

/// `vctl network forward list`.
struct NetworkForwardList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the ports that lead to VMs.")

    @OptionGroup var list: NetworkPartList

    func run() throws { try list.run(.forward, "network.forward.list") }
}

/// `vctl network forward remove`.
struct NetworkForwardRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Forward ports no more; what is open through them ends.")

    @OptionGroup var options: NetworkPartOptions
    @Argument(
        help: .init("tcp:PORT, tcp:ADDRESS:PORT as list shows it, or its id.", valueName: "forward"))
    var forward: String

    func run() throws { try options.run("network.forward.remove", [forward]) { $0 } }
}
