// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI
import VirtXML

extension NetworkService {
    /// Changes what the patch names: without dropping a guest's link where libvirt can, else only with force.
    /// - Throws: ``Problem`` `network.restart` where it takes a restart that was not asked for.
    public func set(_ reference: Reference, _ patch: NetworkPatch, _ context: RequestContext) async throws
        -> Accepted
    {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        let (row, network) = try await managed(reference, context)
        try VMRules.refuse(NetworkRules.problems(patch, of: network))
        do {
            let before = try await effects.existing(row.id).xml(inactive: true)
            var edit = NetworkEdit(try NetworkXML(parsing: before), isActive: network.state == .running)
            try edit.apply(patch, to: network)
            if edit.restart, !context.force { try await refuseRestart(row.name, edit) }
            var request = NetworkDefineOperation.Request(
                network: row.reference, before: before, after: edit.xml.xml)
            (request.live, request.restart) = (edit.live, edit.restart)
            if let autostart = patch.autostart, autostart != network.autostart {
                request.autostart = autostart
                edit.sentences.append(
                    autostart ? "start it with the host" : "no longer start it with the host")
            }
            let diff = UnifiedDiff.text(before, edit.xml.xml)
            return try await act(
                NetworkDefineOperation.self, request, row, context, edit.sentences, diff: diff)
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
    }

    private func refuseRestart(_ name: String, _ edit: NetworkEdit) async throws {
        let users = try await effects.users(of: name, running: true)
        let who = users.isEmpty ? "" : ", which \(Self.list(users)) would notice"
        throw Problem(
            .networkRestart, "network \(shown(name)) has to be started again for this\(who)",
            hint: "add --force: it is off for a moment, and its guests are connected again")
    }
}

/// A change of a network's definition, and of what is active with it.
struct NetworkEdit: Sendable {
    var xml: NetworkXML
    var live: [NetworkUpdate] = []
    var restart = false
    var sentences: [String] = []
    let isActive: Bool

    init(_ xml: NetworkXML, isActive: Bool) {
        self.xml = xml
        self.isActive = isActive
    }

    mutating func apply(_ patch: NetworkPatch, to network: Network) throws {
        try changeMark(patch)
        if let ranges = patch.dhcpRanges { set(ranges) }
        if let text = patch.domain?.text, text != xml.domain ?? "" {
            xml.domain = text.isEmpty ? nil : text
            xml.domainLocalOnly = text.isEmpty ? nil : true
            restart(text.isEmpty ? "take the domain away" : "set the domain to \(text)")
        }
        set(
            patch,
            gateway: network.model == .isolated ? nil : network.hostAddresses.first { $0.family == .ipv4 })
        if let change = patch.mtu, change.value != xml.mtu {
            xml.mtu = change.value
            restart(change.value.map { "set the MTU to \($0)" } ?? "take the MTU away")
        }
    }

    /// What DHCP tells beside addresses.
    private mutating func set(_ patch: NetworkPatch, gateway: IPAddress?) {
        let before = DHCPOptions(xml).told(by: gateway.map { [$0] } ?? [])
        var options = before
        if let servers = patch.ntpServers { options.ntpServers = servers }
        if let routes = patch.routes { options.routes = routes }
        guard options != before else { return }
        options.write(to: &xml, gateway: gateway)
        if options.ntpServers != before.ntpServers {
            let words = options.ntpServers.map { "\($0)" }.joined(separator: ", ")
            restart(words.isEmpty ? "name no time servers" : "name the time servers \(words)")
        }
        if options.routes != before.routes {
            let words = options.routes.map { "\($0.subnet) by \($0.gateway)" }.joined(separator: ", ")
            restart(words.isEmpty ? "tell no routes" : "tell the routes \(words)")
        }
    }

    private mutating func restart(_ sentence: String) {
        restart = restart || isActive
        sentences.append(isActive ? sentence + ", with a restart of the network" : sentence)
    }

    private mutating func changeMark(_ patch: NetworkPatch) throws {
        guard var mark = Mark(in: xml) else { return }
        let old = mark
        mark.labels = VMService.merged(mark.labels, patch.labels ?? [:])
        try VMRules.refuse(LabelRules.problems(count: mark.labels.count))
        if let protected = patch.protected { mark.protected = protected }
        guard mark != old else { return }
        mark.write(into: &xml)
        for (key, value) in (patch.labels ?? [:]).sorted(by: { $0.key < $1.key }) {
            sentences.append(value.map { "set label \(key)=\($0)" } ?? "remove label \(key)")
        }
        if mark.protected != old.protected {
            sentences.append(mark.protected ? "protect it" : "no longer protect it")
        }
    }

    /// Those that go first: libvirt refuses ranges that overlap.
    private mutating func set(_ ranges: [DHCPRange]) {
        var ips = xml.ips
        var updates: [NetworkUpdate] = []
        for index in ips.indices {
            guard let family = ips[index].subnet?.family else { continue }
            let new = ranges.filter { $0.family == family }
            let old = ips[index].dhcpRanges.compactMap(\.range)
            guard old != new else { continue }
            for range in old { updates.append(Self.update(range, adds: false, Int32(index))) }
            for range in new { updates.append(Self.update(range, adds: true, Int32(index))) }
            ips[index].dhcpRanges = new.map(DhcpRangeXML.init)
        }
        guard !updates.isEmpty else { return }
        xml.ips = ips
        if isActive { live += updates }
        let words = ranges.map { "\($0)" }.joined(separator: ", ")
        sentences.append(ranges.isEmpty ? "give away no addresses" : "give away the addresses \(words)")
    }

    private static func update(_ range: DHCPRange, adds: Bool, _ parent: Int32) -> NetworkUpdate {
        NetworkUpdate(
            section: .range, adds: adds, parent: parent,
            xml: "<range start='\(range.first)' end='\(range.last)'/>")
    }
}
