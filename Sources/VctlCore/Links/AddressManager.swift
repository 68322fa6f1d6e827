// SPDX-License-Identifier: Apache-2.0
import Foundation
import HostNet
import VctlAPI

/// A program of the host that gives a link its addresses, and would go on to do so on a port of a bridge,
/// where nobody uses them: it has to be told of the bridge, in its own words.
struct AddressManager: Hashable, Sendable {
    let name: String
    /// What makes it put the addresses on a bridge.
    let hint: String

    /// The one of that link; `nil` where the addresses are nobody's.
    /// - Parameter root: where the host's files are.
    init?(of link: Link, bridge: LinkName, addresses: [Address], root: String = "") {
        let port = link.name
        func text(_ path: String) -> String {
            let data = FileManager.default.contents(atPath: root + path) ?? Data()
            return String(decoding: data, as: UTF8.self)
        }
        if text("/run/NetworkManager/devices/\(link.index)").contains("managed=true") {
            self.init(
                name: "NetworkManager",
                hint:
                    "nmcli connection add type bridge ifname \(bridge) con-name \(bridge) && "
                    + "nmcli connection add type bridge-slave ifname \(port) master \(bridge) && "
                    + "nmcli connection up \(bridge)"
            )
        } else if text("/run/systemd/netif/links/\(link.index)").contains("NETWORK_FILE=/") {
            self.init(
                name: "systemd-networkd",
                hint:
                    "put Kind=bridge for \(bridge) into a .netdev file, Bridge=\(bridge) into the "
                    + ".network file of \(port) and its addresses into one of "
                    + "\(bridge), then: networkctl reload"
            )
        } else if text("/run/network/ifstate.\(port)").contains(port)
            || text("/run/network/ifstate").split(separator: "\n").contains("\(port)=\(port)")
        {
            self.init(
                name: "ifupdown",
                hint:
                    "in /etc/network/interfaces move the lines of \(port) to \(bridge) and add bridge_ports "
                    + "\(port), then: ifdown \(port) && ifup \(bridge)")
        } else if let client = Self.client(port) {
            self.init(
                name: client,
                hint: "end it for \(port), make the bridge, and start it on \(bridge): \(client) \(bridge)")
        } else if addresses.contains(where: { $0.link == link.index && $0.isTemporary && $0.bytes.count == 4 }
        ) {
            self.init(
                name: "a DHCP client",
                hint: "end it for \(port), make the bridge, and start it on \(bridge)")
        } else {
            return nil
        }
    }

    private init(name: String, hint: String) {
        self.name = name
        self.hint = hint
    }

    /// The DHCP client that runs for the link.
    private static func client(_ port: String) -> String? {
        let known: Set = ["dhclient", "dhcpcd", "udhcpc", "dhcpcd5"]
        for pid in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] where Int(pid) != nil
        {
            let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
            let words = String(decoding: data, as: UTF8.self).split(separator: "\0").map(String.init)
            guard let program = words.first.map({ ($0 as NSString).lastPathComponent }),
                known.contains(program),
                words.dropFirst().contains(port)
            else { continue }
            return program
        }
        return nil
    }
}
