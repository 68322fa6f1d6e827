// SPDX-License-Identifier: Apache-2.0
import HostNet
import VctlAPI

/// What of a change of a bridge may cut the host off.
struct BridgeRisk: Codable, Hashable, Sendable {
    /// It goes back unless it is confirmed within so many seconds.
    var seconds: Int
    /// What the caller is warned of.
    var warnings: [String]
}

/// What the operations on bridges have in common.
struct BridgeChange: Sendable {
    let environment: VMEnvironment
    let bridge: KeptBridge
    let risk: BridgeRisk?
    var maker: BridgeMaker { BridgeMaker(environment) }
    var change: GuardedChange { GuardedChange(environment, bridge) }

    /// Sets the guard, where one is wanted, before anything is changed.
    func begin(_ journal: Journal, ports: [LinkName]) async throws {
        guard let risk else { return }
        for warning in risk.warnings { journal.warn(warning) }
        journal.warn("it goes back in \(risk.seconds) s, unless you say: vctl bridge confirm \(bridge.name)")
        let (change, names) = (change, [bridge.name.rawValue] + ports.map(\.rawValue))
        try await journal.step("guard", undo: { try await change.undo() }) {
            try await change.begin(names, seconds: risk.seconds, journal.operation)
        }
    }

    /// Changes, under the guard where there is one.
    func run(_ body: (NetworkSnapshot?) async throws -> Void) async throws {
        guard risk != nil else { return try await body(nil) }
        try await change.change { try await body($0) }
    }

    /// Keeps what the bridge is from now on, which ends the operation.
    /// - Parameters:
    ///   - old: what it was before.
    ///   - isDeletion: whether it is gone, and waits for somebody's word.
    func keep(_ journal: Journal, insteadOf old: KeptBridge?, isDeletion: Bool = false) async throws
        -> Outcome
    {
        let (state, id) = (environment.state, bridge.id)
        let undo: @Sendable () async throws -> Void = {
            if let old { try state.keep(.bridge, id, old) } else { try state.forget(.bridge, id) }
        }
        let kept = try await journal.step("keep", undo: undo) {
            let kept = pending([old].compactMap { $0 }, isDeletion: isDeletion)
            try state.keep(.bridge, id, kept)
            return kept
        }
        return Outcome(bridge.reference) { [operation = journal.operation] transaction in
            try transaction.update(link: kept, operation: operation)
        }
    }

    /// How it is kept as long as it waits for somebody's word.
    private func pending(_ previous: [KeptBridge], isDeletion: Bool = false) -> KeptBridge {
        guard risk != nil, let order = change.way.order else { return bridge }
        var pending = bridge
        let left = max(0, order.deadline - BootClock.seconds)
        pending.pending = KeptBridge.Pending(
            confirmBy: Timestamp(milliseconds: Timestamp.now.milliseconds + Int64(left) * 1000),
            previous: previous, isDeletion: isDeletion)
        return pending
    }

    /// What the bridge gets from its uplink.
    func takeOver(_ snapshot: NetworkSnapshot?) async throws {
        guard let uplink = bridge.uplink, let snapshot else { return }
        try await Blocking.run { [bridge] in
            try snapshot.move(from: uplink.rawValue, to: bridge.name.rawValue)
        }
    }

    /// What an uplink gets back that is no longer a port.
    func giveBack(_ snapshot: NetworkSnapshot?, to uplink: LinkName?) async throws {
        guard let uplink, let snapshot else { return }
        let own = bridge.addresses.map { Address(link: 0, bytes: $0.bytes, length: $0.length) }
        try await Blocking.run { [bridge] in
            try snapshot.move(from: bridge.name.rawValue, to: uplink.rawValue, except: own)
        }
    }
}

/// Makes a bridge.
struct BridgeCreateOperation: OperationKind {
    static let name = "bridge.create"

    struct Request: Codable, Sendable {
        var bridge: KeptBridge
        var risk: BridgeRisk?
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let (bridge, maker) = (request.bridge, BridgeMaker(environment))
        let change = BridgeChange(environment: environment, bridge: bridge, risk: request.risk)
        try await environment.awaitKeeping(of: bridge.id)
        let before = try await journal.step("look") { try await maker.look(at: bridge.ports) }
        try await change.begin(journal, ports: bridge.ports)
        try await journal.step("link", undo: { try await maker.remove(bridge, before) }) {
            try await change.run { snapshot in
                try await maker.ensure(bridge)
                try await change.takeOver(snapshot)
            }
        }
        return try await change.keep(journal, insteadOf: nil)
    }

    func rolledBack(_ request: Request, _ transaction: Transaction, _ operation: ObjectID) throws {
        try transaction.remove(link: request.bridge, operation: operation)
    }
}

/// Changes a bridge.
struct BridgeSetOperation: OperationKind {
    static let name = "bridge.set"

    struct Request: Codable, Sendable {
        var old: KeptBridge
        var new: KeptBridge
        var risk: BridgeRisk?
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let (old, new, maker) = (request.old, request.new, BridgeMaker(environment))
        let added = new.ports.filter { !old.ports.contains($0) }
        let change = BridgeChange(environment: environment, bridge: new, risk: request.risk)
        try await environment.awaitKeeping(of: old.id)
        let before = try await journal.step("look") { try await maker.look(at: old.ports + added) }
        try await change.begin(journal, ports: old.ports + added)
        let undo: @Sendable () async throws -> Void = {
            try await maker.ensure(old, insteadOf: new)
            try await maker.restore(before)
        }
        try await journal.step("link", undo: undo) {
            try await change.run { snapshot in
                try await maker.ensure(new, insteadOf: old)
                if old.uplink == new.uplink { return }
                if old.uplink == nil { return try await change.takeOver(snapshot) }
                try await change.giveBack(snapshot, to: old.uplink)
            }
        }
        return try await change.keep(journal, insteadOf: old)
    }
}

/// Deletes a bridge.
struct BridgeDeleteOperation: OperationKind {
    static let name = "bridge.delete"

    struct Request: Codable, Sendable {
        var bridge: KeptBridge
        /// Also where somebody would lose it.
        var force: Bool
        var risk: BridgeRisk?
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let (bridge, maker) = (request.bridge, BridgeMaker(environment))
        try await environment.awaitKeeping(of: bridge.id)
        try await journal.step("users") {
            try await maker.refuseStacked(bridge)
            if !request.force { try await maker.refuseUsed(bridge) }
        }
        guard request.risk == nil else { return try await runGuarded(request, journal) }
        let state = environment.state
        try await journal.step("forget", undo: { try state.keep(.bridge, bridge.id, bridge) }) {
            try state.forget(.bridge, bridge.id)
        }
        try journal.pointOfNoReturn()
        try await journal.step("remove") { try await maker.remove(bridge) }
        return Outcome(bridge.reference) { [operation = journal.operation] transaction in
            try transaction.remove(link: bridge, operation: operation)
        }
    }

    /// The row stays until somebody confirms that the bridge is gone.
    private func runGuarded(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let (bridge, maker) = (request.bridge, BridgeMaker(environment))
        let change = BridgeChange(environment: environment, bridge: bridge, risk: request.risk)
        let names = try await journal.step("ports") { try await maker.ports(of: bridge) }
        try await change.begin(journal, ports: names)
        try await journal.step("remove") {
            try await change.run { snapshot in
                try await maker.free(bridge)
                try await change.giveBack(snapshot, to: bridge.uplink)
                try await maker.links.remove(bridge.id)
            }
        }
        return try await change.keep(journal, insteadOf: bridge, isDeletion: true)
    }
}
