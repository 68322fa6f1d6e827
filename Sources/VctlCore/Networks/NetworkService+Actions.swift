// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI
import VirtXML

extension NetworkService {
    /// Deletes a network that no VM is on.
    /// - Throws: ``Problem`` `network.inUse` naming the VMs, `network.protected`, `network.foreign`.
    public func delete(_ reference: Reference, _ context: RequestContext) async throws -> Accepted {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        let (row, network) = try await managed(reference, context)
        let name = shown(row.name)
        guard !network.protected || context.force else {
            throw Problem(
                .networkProtected, "network \(name) is protected",
                hint: "vctl network set \(name) --no-protect, or vctl network delete \(name) --force")
        }
        let users = try await effects.users(of: row.name, running: false)
        guard users.isEmpty else {
            throw Problem(
                .networkInUse, "network \(name) is used by \(Self.list(users))",
                hint: "vctl vm nic list \(shown(users[0]))")
        }
        let request = NetworkDeleteOperation.Request(network: row.reference)
        let stop = network.state == .running ? ["stop it"] : []
        return try await act(
            NetworkDeleteOperation.self, request, row, context, stop + ["undefine network \"\(row.name)\""])
    }

    /// At most five names.
    static func list(_ users: [String]) -> String {
        let more = users.count > 5 ? " and \(users.count - 5) more" : ""
        return users.prefix(5).map { "VM \(shown($0))" }.joined(separator: ", ") + more
    }

    /// Starts a network; one that runs already is as it should be.
    public func start(_ reference: Reference, _ context: RequestContext) async throws -> Accepted {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        let (row, network) = try await managed(reference, context)
        let change = network.state == .running ? "nothing; it runs already" : "start it"
        return try await power(true, row, context, [change])
    }

    /// Stops a network; with running VMs on it only with force. One that is stopped is as it should be.
    public func stop(_ reference: Reference, _ context: RequestContext) async throws -> Accepted {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        let (row, network) = try await managed(reference, context)
        guard network.state == .running else {
            return try await power(false, row, context, ["nothing; it does not run"])
        }
        let users = try await effects.users(of: row.name, running: true)
        guard users.isEmpty || context.force else { throw Self.stopping(row.name, users) }
        let cut = users.isEmpty ? [] : ["cut off \(Self.list(users))"]
        return try await power(false, row, context, cut + ["stop it"])
    }

    static func stopping(_ network: String, _ users: [String]) -> Problem {
        let name = shown(network)
        return Problem(
            .networkInUse, "network \(name) is used by \(list(users)), which would be cut off",
            hint: "vctl network stop \(name) --force")
    }

    private func power(
        _ active: Bool, _ row: NetworkRow, _ context: RequestContext, _ changes: [String]
    ) async throws -> Accepted {
        var request = NetworkPowerOperation.Request(network: row.reference, active: active)
        if context.force { request.force = true }
        return try await act(NetworkPowerOperation.self, request, row, context, changes)
    }

    /// Takes over a network that somebody else defined. Only our element in its `<metadata>` changes.
    /// - Throws: ``Problem`` `network.transient`, `network.foreign` where another instance has it.
    public func adopt(_ reference: Reference, _ adopt: NetworkAdopt, _ context: RequestContext) async throws
        -> Accepted
    {
        try VMRules.refuse(LabelRules.problems(adopt.labels ?? [:]))
        return try await redefine(reference, context) { row, network, xml in
            var mark = try newMark(row, xml, context)
            mark.labels.merge(adopt.labels ?? [:]) { $1 }
            try VMRules.refuse(LabelRules.problems(count: mark.labels.count))
            if mark.network == nil, let model = network.model {
                mark.network = .init(model: model, hostAccess: network.hostAccess)
            }
            mark.write(into: &xml)
            return ["mark network \"\(row.name)\" as this vctl's, and change nothing else"]
        }
    }

    /// Gives a network back to whoever wants it: takes our element out of its `<metadata>`.
    /// - Throws: ``Problem`` `network.foreign`.
    public func release(_ reference: Reference, _ context: RequestContext) async throws -> Accepted {
        let (known, _) = try await current(reference, context)
        if let forward = try await inventory.read({ try ForwardStore.all($0, of: known.id).first }) {
            throw Problem(
                .networkInUse,
                "\(forward.key) leads to VM \(shown(forward.vm)) by network \(shown(known.name))",
                hint: "vctl network forward remove \(shown(known.name)) \(forward.key)")
        }
        return try await redefine(reference, context) { row, network, xml in
            guard network.managed else {
                throw Problem(
                    .networkForeign, "network \(shown(row.name)) is not this vctl's",
                    hint: "vctl network list")
            }
            Mark.remove(from: &xml)
            let rules =
                PacketRules([network]).body == nil ? [] : ["remove its rules: libvirt has none for it"]
            return ["take the mark off network \"\(row.name)\""] + rules
        }
    }

    /// - Parameter edit: changes the saved definition, and says what that does.
    private func redefine(
        _ reference: Reference, _ context: RequestContext,
        _ edit: (NetworkRow, Network, inout NetworkXML) throws -> [String]
    ) async throws -> Accepted {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        let (row, network) = try await current(reference, context)
        do {
            let handle = try await effects.existing(row.id)
            guard try await handle.isPersistent() else { throw Self.transient(row.name) }
            let before = try await handle.xml(inactive: true)
            var xml = try NetworkXML(parsing: before)
            let changes = try edit(row, network, &xml)
            let request = NetworkDefineOperation.Request(
                network: row.reference, before: before, after: xml.xml)
            return try await act(NetworkDefineOperation.self, request, row, context, changes)
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
    }

    private func newMark(_ row: NetworkRow, _ xml: NetworkXML, _ context: RequestContext) throws -> Mark {
        let instance = environment.state.instance
        var mark = Mark(instance: instance, id: row.id)
        switch Ownership(Mark(in: xml), instance: instance, id: row.id) {
        case .ours(let known): return known
        case .another(let other), .copy(let other):
            guard context.force else {
                throw Problem(
                    .networkForeign, "network \(shown(row.name)) bears the mark of another vctl",
                    hint: "vctl network adopt \(shown(row.name)) --force takes it over")
            }
            (mark.labels, mark.createdAt, mark.creator) = (other.labels, other.createdAt, other.creator)
            (mark.protected, mark.network) = (other.protected, other.network)
        case .none: break
        }
        mark.adoptedAt = .now
        mark.adopter = context.caller.user ?? "uid \(context.caller.uid)"
        return mark
    }

    static func transient(_ name: String) -> Problem {
        Problem(
            .networkTransient,
            "network \(shown(name)) is transient: libvirt keeps no definition of it, and forgets it when it"
                + " stops",
            hint: "virsh net-dumpxml \(shown(name)) > net.xml && virsh net-define net.xml makes it persistent"
        )
    }
}
