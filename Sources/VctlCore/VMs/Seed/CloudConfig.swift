// SPDX-License-Identifier: Apache-2.0
import Yams

/// The YAML that vctl writes for cloud-init. Every text is double-quoted: whatever it holds, it stays a text.
enum CloudConfig {
    /// user-data with one user who may become root, or with keys for the image's own user.
    static func userData(user: String?, sshKeys: [String]) throws -> String {
        var pairs: [(Node, Node)] = [(key("manage_etc_hosts"), text("localhost"))]
        let keys = sshKeys.map(trimmed).filter { !$0.isEmpty }
        if let user {
            pairs.append((key("users"), list([account(user, keys)])))
        } else if !keys.isEmpty {
            pairs.append((key("ssh_authorized_keys"), list(keys.map(text))))
        }
        return "#cloud-config\n" + (try yaml(map(pairs)))
    }

    private static func account(_ name: String, _ keys: [String]) -> Node {
        var pairs: [(Node, Node)] = [
            (key("name"), text(name)),
            (key("sudo"), text("ALL=(ALL) NOPASSWD:ALL")),
            (key("shell"), text("/bin/bash")),
            (key("lock_passwd"), Node("true", Tag(.bool))),
        ]
        if !keys.isEmpty { pairs.append((key("ssh_authorized_keys"), list(keys.map(text)))) }
        return map(pairs)
    }

    /// meta-data: who the guest is.
    static func metaData(instanceID: String, hostname: String) throws -> String {
        try yaml(
            map([
                (key("instance-id"), text(instanceID)),
                (key("local-hostname"), text(self.hostname(hostname))),
            ]))
    }

    /// network-config of version 2, with DHCP on every NIC; `nil` without NICs. A NIC is matched by its MAC:
    /// cloud-init before 23 does not match by a pattern of names. Only the first is waited for at boot.
    static func networkConfig(macs: [String]) throws -> String? {
        guard !macs.isEmpty else { return nil }
        let nics = macs.enumerated().map { index, mac in
            var pairs: [(Node, Node)] = [
                (key("match"), map([(key("macaddress"), text(mac.lowercased()))])),
                (key("dhcp4"), Node("true", Tag(.bool))),
                // Guests with copies of one disk have one machine-id, and would get one address for it.
                (key("dhcp-identifier"), text("mac")),
            ]
            if index > 0 { pairs.append((key("optional"), Node("true", Tag(.bool)))) }
            return (key("nic\(index)"), map(pairs))
        }
        return try yaml(map([(key("version"), Node("2", Tag(.int))), (key("ethernets"), map(nics))]))
    }

    /// A VM's name as a host name: `_` is not allowed in one, nor a `.` or `-` at its end.
    static func hostname(_ name: String) -> String {
        var text = String(name.map { $0 == "_" ? "-" : $0 })
        while let last = text.last, last == "." || last == "-" { text.removeLast() }
        return text
    }

    private static func trimmed(_ text: String) -> String {
        let start = text.drop(while: \.isWhitespace)
        return start.lastIndex { !$0.isWhitespace }.map { String(start[...$0]) } ?? ""
    }

    private static func key(_ name: String) -> Node { Node(name, .implicit, .plain) }
    private static func text(_ value: String) -> Node { Node(value, Tag(.str), .doubleQuoted) }
    private static func list(_ nodes: [Node]) -> Node { Node(nodes, .implicit, .block) }
    private static func map(_ pairs: [(Node, Node)]) -> Node { Node(pairs, .implicit, .block) }
    private static func yaml(_ node: Node) throws -> String {
        try serialize(node: node, width: -1, allowUnicode: true)
    }
}
