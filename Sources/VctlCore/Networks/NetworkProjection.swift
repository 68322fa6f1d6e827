// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI
import VirtXML

/// A libvirt network as the API shows it.
enum NetworkProjection {
    /// - Parameters:
    ///   - instance: this instance, whose mark makes a network managed.
    ///   - observedAt: when libvirt was asked.
    static func network(_ record: ObjectRecord, _ instance: ObjectID, observedAt: Timestamp) -> Network {
        let live = try? NetworkXML(parsing: record.xml)
        // Marks are changed in the saved definition; what is active may still hold an older one.
        let saved = record.inactiveXML.flatMap { try? NetworkXML(parsing: $0) } ?? live
        let id = ObjectID(record.uuid)
        let mark = Ownership(saved.flatMap { Mark(in: $0) }, instance: instance, id: id).mark
        let mode = live?.forwardMode ?? "none"
        var network = Network(
            id: id, name: record.name, mode: mode, state: record.isActive ? .running : .stopped,
            observedAt: observedAt)
        if let live { describe(live, &network) }
        network.model = mark?.network?.model ?? model(of: network)
        network.hostAccess =
            mark.map { hasHost(network.model, $0) } ?? !network.hostAddresses.isEmpty
        network.autostart = record.autostart
        if let mark {
            (network.managed, network.labels, network.protected) = (true, mark.labels, mark.protected)
            network.createdAt = mark.createdAt
        }
        return network
    }

    private static func describe(_ live: NetworkXML, _ network: inout Network) {
        network.bridge = live.bridge
        let subnets = live.ips.compactMap(\.subnet)
        network.subnet = subnets.first { $0.family == .ipv4 }
        network.subnet6 = subnets.first { $0.family == .ipv6 }
        network.hostAddresses = live.ips.compactMap { $0.address.flatMap { IPAddress($0) } }
        network.dhcpRanges = live.ips.flatMap { $0.dhcpRanges.compactMap(\.range) }
        let options = DHCPOptions(live).told(by: network.hostAddresses)
        network.ntpServers = options.ntpServers.isEmpty ? nil : options.ntpServers
        network.routes = options.routes.isEmpty ? nil : options.routes
        (network.domain, network.mtu, network.vlan) = (live.domain, live.mtu, live.vlanTags.first)
    }

    /// The nearest model to what libvirt makes of a network.
    private static func model(of network: Network) -> NetworkModel? {
        switch network.mode {
        case "none": .isolated
        case "nat": .nat
        case "route", "open": .routed
        case "bridge": network.bridge == nil ? nil : .bridged
        default: nil
        }
    }

    /// Whether a network of ours has the host in it.
    static func hasHost(_ model: NetworkModel?, _ mark: Mark) -> Bool {
        switch model {
        case .isolated: mark.network?.hostAccess ?? true
        case .routed, .nat: true
        case .bridged, nil: false
        }
    }
}
