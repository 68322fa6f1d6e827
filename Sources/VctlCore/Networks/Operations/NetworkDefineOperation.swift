// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI
import VirtXML

/// Changes the definition of a network, and with it what is active as far as libvirt can. That is all that
/// happens when a network is adopted or released, too.
struct NetworkDefineOperation: OperationKind {
    static let name = "network.define"

    struct Request: Codable, Sendable {
        var network: ObjectReference
        /// The saved definition as it was.
        var before: String
        /// The saved definition as it shall be.
        var after: String
        /// What of an active network changes without a restart.
        var live: [NetworkUpdate] = []
        /// Leases that end, since their addresses are kept for others now.
        var release: [ForgottenLease]?
        /// Whether an active network is started again.
        var restart = false
        /// Whether it starts with the host, where that changes.
        var autostart: Bool?
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        try await change(request, journal)
        return Outcome(request.network)
    }

    /// All steps; also a part of operations that need a network to be so.
    func change(_ request: Request, _ journal: Journal) async throws {
        let effects = NetworkEffects(environment: environment)
        let id = request.network.id
        if request.before != request.after {
            let isActive = try await journal.step("look") { try await look(request, effects) }
            let undo = { @Sendable in
                try await effects.redefine(id, request.before)
                if request.restart, isActive { try await effects.restart(id) }
            }
            try await journal.step("define", undo: undo) { try await effects.redefine(id, request.after) }
            if request.restart, isActive {
                try await journal.step("restart") { try await effects.restart(id) }
            }
        }
        for (index, update) in request.live.enumerated() {
            try await journal.step("live:\(index)", undo: { try await apply(update.inverse, to: id) }) {
                try await apply(update, to: id)
            }
        }
        for (index, lease) in (request.release ?? []).enumerated() {
            try await journal.step("release:\(index)") { try lease.end() }
        }
        if let autostart = request.autostart {
            let undo = { @Sendable in try await effects.existing(id).setAutostart(!autostart) }
            try await journal.step("autostart", undo: undo) {
                try await effects.existing(id).setAutostart(autostart)
            }
        }
        let observe = { @Sendable in
            try await environment.watcher.refreshNetwork(id)
            try await environment.firewall.ensure()
        }
        try await journal.step("observe", undo: observe, observe)
    }

    /// Whether it is active; refuses a definition that is not any more what the request was made from.
    private func look(_ request: Request, _ effects: NetworkEffects) async throws -> Bool {
        let network = try await effects.existing(request.network.id)
        guard try await network.xml(inactive: true) == request.before else {
            throw Problem(
                .revisionStale, "network \(shown(request.network.name)) was changed meanwhile",
                hint: "try it again")
        }
        return try await network.isActive()
    }

    func apply(_ update: NetworkUpdate, to id: ObjectID) async throws {
        let network = try await NetworkEffects(environment: environment).existing(id)
        guard try await network.isActive() else { return }
        let live = try NetworkXML(parsing: try await network.xml())
        guard update.isThere(in: live) != update.adds else { return }
        try await network.update(
            update.adds ? .addLast : .delete, update.section.number, parentIndex: update.parent,
            xml: update.xml, .live)
    }
}

/// One change of an active network that drops no guest's link.
struct NetworkUpdate: Codable, Hashable, Sendable {
    /// Which part of it.
    enum Section: String, Codable, Sendable {
        case range, host, name

        var number: LibvirtNetwork.Section {
            switch self {
            case .range: .dhcpRange
            case .host: .dhcpHost
            case .name: .dnsHost
            }
        }
    }

    var section: Section
    /// Whether the element comes or goes.
    var adds: Bool
    /// Which `<ip>` it is in, from 0; -1 where it is in none.
    var parent: Int32
    /// The element.
    var xml: String

    var inverse: NetworkUpdate {
        var other = self
        other.adds.toggle()
        return other
    }

    /// Whether the network has the element.
    func isThere(in network: NetworkXML) -> Bool {
        guard let wanted = try? Document(parsing: xml).root else { return false }
        let ips = network.ips
        let ip = ips.indices.contains(Int(parent)) ? ips[Int(parent)] : nil
        let elements =
            switch section {
            case .range: ip?.dhcpRanges.map(\.element) ?? []
            case .host: ip?.dhcpHosts.map(\.element) ?? []
            case .name: network.dnsHosts.map(\.element)
            }
        return elements.contains { Self.same($0, wanted) }
    }

    /// The same but for blanks and what libvirt adds.
    private static func same(_ one: Element, _ other: Element) -> Bool {
        other.attributes.allSatisfy { one[attribute: $0.name] == $0.value }
            && other.elements.allSatisfy { part in
                one.elements.contains { $0.name == part.name && $0.text == part.text }
            }
    }
}
