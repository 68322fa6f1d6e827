// SPDX-License-Identifier: Apache-2.0
import VctlAPI

extension Parse {
    /// The keys of ``network(_:)``.
    static let networkKeys = [
        "mac", "model", "ip", "vlan", "mtu", "queues", "isolated", "anti-spoofing", "sg", "boot", "link",
        "inbound",
        "outbound",
    ]

    /// How the keys are explained.
    static let networkHelp =
        "NAME or bridge=NAME; then, by commas, any of mac=, model=, ip=, vlan=, mtu=, queues=, "
        + "isolated=yes, anti-spoofing=yes, sg=, boot=N, link=no, inbound=RATE, outbound=RATE"

    /// `NAME[,key=value]…` or `bridge=NAME[,key=value]…`; `none` is no NIC.
    static func network(_ text: String) throws -> NICSpec? {
        if text == "none" { return nil }
        let list = try KeyedList(text, known: networkKeys)
        var nic = try place(list.first)
        nic.mac = try list.value("mac", mac)
        nic.model = try list.value("model") { $0 }
        nic.link = try list.value("link", yesOrNo)
        nic.vlan = try list.value("vlan", vlan)
        nic.mtu = try list.value("mtu", mtu)
        nic.queues = try list.value("queues", positive)
        nic.isolated = try list.value("isolated", yesOrNo)
        nic.boot = try list.value("boot", positive)
        nic.inbound = try list.value("inbound", rate)
        nic.outbound = try list.value("outbound", rate)
        nic.antiSpoofing = try list.value("anti-spoofing", yesOrNo)
        nic.ip = try list.value("ip", addresses)
        nic.securityGroups = try list.value("sg", groups)
        return nic
    }

    /// No network's name has a `=`.
    private static func place(_ text: String) throws -> NICSpec {
        guard text.hasPrefix("bridge=") else { return NICSpec(network: try reference(text)) }
        return NICSpec(bridge: try link(String(text.dropFirst("bridge=".count))))
    }

    private static func mac(_ text: String) throws -> String {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6, parts.allSatisfy({ $0.utf8.count == 2 && $0.allSatisfy(\.isHexDigit) }) else {
            throw Refused(description: "an address has six pairs of hexadecimal digits: 52:54:00:12:34:56")
        }
        guard let first = UInt8(parts[0], radix: 16), first & 1 == 0 else {
            throw Refused(description: "this is a multicast address; the first byte must be even")
        }
        return text.lowercased()
    }

    static func link(_ text: String) throws -> LinkName {
        try refusing { () throws(InvalidValue) in try LinkName(checking: text) }
    }

    static func vlan(_ text: String) throws -> VLANID {
        try refusing { () throws(InvalidValue) in try VLANID(text) }
    }

    static func mtu(_ text: String) throws -> MTU {
        try refusing { () throws(InvalidValue) in try MTU(text) }
    }

    /// Addresses with `,`, or in a list of keys with `/`, between them.
    static func addresses(_ text: String) throws -> [IPAddress] {
        try text.split(omittingEmptySubsequences: false) { $0 == "," || $0 == "/" }.map { part in
            try refusing { () throws(InvalidValue) in try IPAddress(checking: String(part)) }
        }
    }

    static func rule(_ text: String) throws -> SecurityRule {
        try refusing { () throws(InvalidValue) in try SecurityRule(checking: text) }
    }

    /// Names of groups with `,`, or in a list of keys with `/`, between them.
    static func groups(_ text: String) throws -> [Name] {
        try text.split(omittingEmptySubsequences: false) { $0 == "," || $0 == "/" }.map {
            try name(String($0))
        }
    }

    static func yesOrNo(_ text: String) throws -> Bool {
        switch text {
        case "yes": true
        case "no": false
        default: throw Refused(description: "known are yes, no")
        }
    }

    /// `AVERAGE[,PEAK[,BURST]]`; in a list of keys, where a comma ends the value, with `/` between them.
    static func rate(_ text: String) throws -> RateLimit {
        let parts = text.split(omittingEmptySubsequences: false) { $0 == "," || $0 == "/" }.map(String.init)
        guard parts.count <= 3 else {
            throw Refused(description: "write AVERAGE, AVERAGE/PEAK or AVERAGE/PEAK/BURST")
        }
        let bits = { (text: String) in try refusing { () throws(InvalidValue) in try BitRate(text) } }
        let peak = parts.count > 1 && !parts[1].isEmpty ? try bits(parts[1]) : nil
        return RateLimit(
            average: try bits(parts[0]), peak: peak, burst: parts.count > 2 ? try size(parts[2]) : nil)
    }

    /// What `parse` reads, or `none`.
    static func removable<Value>(
        _ parse: @escaping @Sendable (String) throws -> Value
    ) -> @Sendable (String) throws -> Removable<Value> {
        { text in Removable<Value>(text == "none" ? nil : try parse(text)) }
    }
}
