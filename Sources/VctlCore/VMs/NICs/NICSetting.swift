// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VirtXML

/// What of a NIC is to be otherwise; `nil`: as it is. It is stored, so that an undo can put back what was.
struct NICSetting: Codable, Hashable, Sendable {
    var network: String?
    var bridge: String?
    var link: Bool?
    var model: String?
    /// 0: none.
    var vlan: Int?
    /// 0: the network's.
    var mtu: Int?
    /// 0: as many as there are without a word.
    var queues: Int?
    var isolated: Bool?
    var inbound: Rate?
    var outbound: Rate?
    /// A name of ours for its TAP, where it has none.
    var tap: String?

    /// A limit in libvirt's units.
    struct Rate: Codable, Hashable, Sendable {
        /// Thousands of bytes a second; 0: no limit.
        var average: Int
        var peak: Int?
        /// KiB
        var burst: Int?
    }

    init() {}

    /// What a running guest gets at once.
    var atOnce: NICSetting {
        var some = NICSetting()
        (some.network, some.bridge, some.link) = (network, bridge, link)
        (some.isolated, some.inbound, some.outbound) = (isolated, inbound, outbound)
        return some
    }

    /// Whether there is something that a running guest gets only with its next start.
    var waits: Bool { self != atOnce }

    /// Writes it into a NIC; all else that stands there stays.
    func apply(to nic: inout InterfaceXML) {
        connect(&nic)
        if let tap { nic.targetDev = tap }
        if let link { nic.linkState = link ? "up" : "down" }
        if let model { nic.model = model }
        if let mtu { nic.mtu = mtu == 0 ? nil : mtu }
        if let queues { nic.queues = queues == 0 ? nil : queues }
        if let isolated { nic.isolated = isolated ? true : nil }
        if let vlan, nic.vlanTags != (vlan == 0 ? [] : [vlan]) {
            nic.element.remove(Path("vlan"))
            if vlan != 0 { nic.vlanTags = [vlan] }
        }
        if let inbound {
            nic.element.remove(Path("bandwidth/inbound"))
            if inbound.average != 0 {
                nic.inboundAverage = inbound.average
                (nic.inboundPeak, nic.inboundBurst) = (inbound.peak, inbound.burst)
            }
        }
        if let outbound {
            nic.element.remove(Path("bandwidth/outbound"))
            if outbound.average != 0 {
                nic.outboundAverage = outbound.average
                (nic.outboundPeak, nic.outboundBurst) = (outbound.peak, outbound.burst)
            }
        }
        if nic.element.first("bandwidth")?.elements.isEmpty == true { nic.element.remove(Path("bandwidth")) }
    }

    private func connect(_ nic: inout InterfaceXML) {
        if let network {
            nic.element.remove(Path("source"))
            nic.type = "network"
            nic.sourceNetwork = network
        } else if let bridge {
            nic.element.remove(Path("source"))
            nic.type = "bridge"
            nic.sourceBridge = bridge
        }
    }

    /// What the NIC has now of all that this one would change.
    func before(_ nic: InterfaceXML) -> NICSetting {
        var old = NICSetting()
        if network != nil || bridge != nil {
            (old.network, old.bridge) = (nic.sourceNetwork, nic.sourceNetwork == nil ? nic.sourceBridge : nil)
        }
        if link != nil { old.link = nic.isPluggedIn }
        if model != nil { old.model = nic.model }
        if vlan != nil { old.vlan = nic.vlanTags.first ?? 0 }
        if mtu != nil { old.mtu = nic.mtu ?? 0 }
        if queues != nil { old.queues = nic.queues ?? 0 }
        if isolated != nil { old.isolated = nic.isolated ?? false }
        if inbound != nil { old.inbound = Rate(inboundOf: nic) ?? .unlimited }
        if outbound != nil { old.outbound = Rate(outboundOf: nic) ?? .unlimited }
        return old
    }
}

extension NICSetting {
    /// What a new NIC is to have beside network, MAC and model.
    init(_ spec: NICSpec) {
        link = spec.link == false ? false : nil
        vlan = spec.vlan?.number
        mtu = spec.mtu?.number
        queues = spec.queues
        isolated = spec.isolated == true ? true : nil
        inbound = spec.inbound.map(Rate.init)
        outbound = spec.outbound.map(Rate.init)
    }

    /// What a patch asks for.
    /// - Parameter network: libvirt's name of the network that it names.
    init(_ patch: VMNICPatch, network: String?) {
        self.network = network
        bridge = patch.bridge?.rawValue
        (link, model, isolated) = (patch.link, patch.model, patch.isolated)
        vlan = patch.vlan.map { $0.value?.number ?? 0 }
        mtu = patch.mtu.map { $0.value?.number ?? 0 }
        queues = patch.queues.map { $0.value ?? 0 }
        inbound = patch.inbound.map { $0.value.map(Rate.init) ?? .unlimited }
        outbound = patch.outbound.map { $0.value.map(Rate.init) ?? .unlimited }
    }

    /// What it does, a sentence each.
    func sentences(_ mac: String) -> [String] {
        var list: [String] = []
        if let network { list.append("move the NIC \(mac) to network \"\(network)\"") }
        if let bridge { list.append("move the NIC \(mac) to bridge \(bridge)") }
        if let link { list.append("\(link ? "plug in" : "pull") the cable of the NIC \(mac)") }
        if let isolated {
            list.append(isolated ? "keep it from other isolated NICs" : "isolate it no longer")
        }
        list += Self.limits("receive", inbound) + Self.limits("send", outbound)
        if let model { list.append("make it a NIC of model \(model)") }
        let numbers = [("its VLAN", vlan), ("its MTU", mtu), ("its queues", queues)]
        for case (let what, let number?) in numbers {
            list.append(number == 0 ? "say nothing of \(what)" : "set \(what) to \(number)")
        }
        return list
    }

    private static func limits(_ verb: String, _ rate: Rate?) -> [String] {
        guard let rate else { return [] }
        guard let limit = rate.limit else { return ["let it \(verb) without a limit"] }
        return ["let it \(verb) \(limit.averageBitsPerSecond) on average"]
    }
}

extension NICSetting.Rate {
    static let unlimited = NICSetting.Rate(average: 0)

    init(_ limit: RateLimit) {
        average = limit.averageBitsPerSecond.steps
        peak = limit.peakBitsPerSecond?.steps
        burst = limit.burstBytes.map { Int($0.bytes >> 10) }
    }

    init?(inboundOf nic: InterfaceXML) {
        guard let average = nic.inboundAverage else { return nil }
        self.init(average: average, peak: nic.inboundPeak, burst: nic.inboundBurst)
    }

    init?(outboundOf nic: InterfaceXML) {
        guard let average = nic.outboundAverage else { return nil }
        self.init(average: average, peak: nic.outboundPeak, burst: nic.outboundBurst)
    }

    /// `nil` for none, and for what somebody else wrote and no rate of ours can be.
    var limit: RateLimit? {
        guard let average = Self.rate(average) else { return nil }
        let (bytes, overflow) = (burst ?? 0).multipliedReportingOverflow(by: 1024)
        return RateLimit(
            average: average, peak: peak.flatMap(Self.rate),
            burst: overflow ? nil : try? ByteCount(bytes: Int64(bytes)))
    }

    private static func rate(_ units: Int) -> BitRate? {
        let (bits, overflow) = units.multipliedReportingOverflow(by: BitRate.step)
        return overflow ? nil : try? BitRate(checking: bits)
    }
}

extension InterfaceXML {
    /// Without a word about it, it is.
    var isPluggedIn: Bool { self.linkState != "down" }
}
