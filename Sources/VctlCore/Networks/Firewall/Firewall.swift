// SPDX-License-Identifier: Apache-2.0
import HostNet
import Logging
import Synchronization
import VctlAPI

/// Keeps our table equal to what the networks ask for: before a network starts, after each change, and again
/// when somebody else has removed or changed it.
///
/// What is written is the difference to what was written last, provided that this stands in the kernel: the
/// number that the kernel gives to each change of rules tells so, and that nobody came between. Wherever that
/// cannot be told, the table is written anew as a whole. Both are one transaction.
final class Firewall: Sendable {
    private struct State {
        /// What was written last.
        var rules: RuleTable?
        /// How the kernel spells that.
        var listing = Listing.unread
        /// Which of the kernel's changes was the last of which it is known that the table says so.
        var generation: UInt32?
        /// Whether something was written since the daemon started.
        var isKnown = false
    }

    private enum Listing: Equatable {
        case unread
        /// `nil`: there is no table.
        case read(String?)
    }

    /// Whether the kernel has what was written last.
    private enum Standing {
        case whole, changed
        /// The rules of somebody were changed, and it is not known how the kernel spells ours.
        case unclear
    }

    private let inventory: Inventory
    /// `nil`: a libvirt whose networks are made up, or somebody who may not write rules.
    private let table: (any PacketTable)?
    /// Where the rules are for the time before the next start of the daemon.
    private let kept: KeptRules?
    private let logger: Logger
    private let turns = Turns()
    private let state = Mutex(State())

    init(
        inventory: Inventory, table: (any PacketTable)?, kept: KeptRules? = nil, logger: Logger
    ) {
        self.inventory = inventory
        self.table = table
        self.kept = kept
        self.logger = logger
    }

    /// Whether rules come into force.
    var isReal: Bool { table != nil }

    /// Whether the table says what was written; `nil` where it says nothing about this network.
    func isIntact(for network: Network) async -> Bool? {
        guard let table, PacketRules([network]).table != nil else { return nil }
        let isSo = try? await turns.alone(inventory.instance) {
            let known = state.withLock { $0 }
            guard known.isKnown else { return false }
            let standing = try standing(known, in: table)
            if standing == .unclear { try replace(known.rules, in: table) }
            return standing != .changed
        }
        return isSo ?? false
    }

    /// Makes the table what it has to be.
    /// - Parameters:
    ///   - id: a network or forward that is about to go.
    ///   - asksKernel: whether it is looked if others have changed the table, which a watch tells as well.
    /// - Throws: ``HostNetError``.
    func ensure(without id: ObjectID? = nil, asksKernel: Bool = true) async throws {
        guard let table else { return }
        try await turns.alone(inventory.instance) {
            let (isRead, rules, taps) = try await inventory.read { db in
                let forwards = try ForwardStore.all(db).filter { $0.id != id }
                let networks = try NetworkStore.all(db).filter { $0.id != id }.map { try $0.value() }
                return (
                    try Comparison.wasMade(db), PacketRules(networks, forwards: forwards),
                    try ForwardStore.taps(db, of: forwards)
                )
            }
            // Which networks there are is not known yet, and the rules that are there may be theirs.
            guard isRead else { return }
            let loopback = Set(rules.loopbackBridges)
            // What nobody needs any more is closed while the rule that guards it is still there.
            for bridge in rules.networks.compactMap(\.bridge) where !loopback.contains(bridge) {
                HostSwitch.routeLoopback(bridge, false)
            }
            try write(rules.table, to: table, asksKernel)
            loopback.forEach { HostSwitch.routeLoopback($0, true) }
            taps.forEach(HostSwitch.hairpin)
        }
    }

    private func write(_ rules: RuleTable?, to table: any PacketTable, _ asksKernel: Bool) throws {
        let known = state.withLock { $0 }
        let isSame = known.isKnown && known.rules == rules
        if isSame, !asksKernel { return }
        // A kernel without nftables is fine as long as no network needs it.
        if rules == nil, !known.isKnown, (try? table.read()) == nil { return keep(nil) }
        let standing = known.isKnown ? try standing(known, in: table) : .unclear
        if isSame {
            if standing == .whole { return }
            if standing == .changed {
                logger.warning("others changed the rules of networks; they are put back")
            }
        } else if standing == .whole, let old = known.rules, let rules, change(old, to: rules, in: table) {
            return keep(rules.body)
        }
        try replace(rules, in: table)
    }

    private func standing(_ known: State, in table: any PacketTable) throws -> Standing {
        let before = table.generation()
        if let before, before == known.generation { return .whole }
        guard case .read(let listing) = known.listing else { return .unclear }
        guard try table.read() == listing else { return .changed }
        // Unless somebody changed something while it was read.
        if before == table.generation() { state.withLock { $0.generation = before } }
        return .whole
    }

    /// Writes what differs.
    /// - Returns: whether the kernel has `new` now, for certain. Why not, the next attempt says.
    private func change(_ old: RuleTable, to new: RuleTable, in table: any PacketTable) -> Bool {
        guard let before = state.withLock(\.generation), let edits = old.edits(to: new) else { return false }
        // Until it is known to have come to its end, nobody knows what the kernel has.
        state.withLock { $0.isKnown = false }
        do { try table.change(edits) } catch {
            logger.notice(
                "the rules of one network could not be changed alone", metadata: ["error": "\(error)"])
            return false
        }
        guard table.generation() == before &+ 1 else { return false }
        state.withLock { $0 = State(rules: new, generation: before &+ 1, isKnown: true) }
        return true
    }

    /// Writes all of it; again, where somebody may have changed it before it was read.
    private func replace(_ rules: RuleTable?, in table: any PacketTable) throws {
        state.withLock { $0.isKnown = false }
        for _ in 1...3 {
            let before = table.generation()
            try table.replace(with: rules?.body)
            keep(rules?.body)
            let after = table.generation()
            let listing = try table.read()
            let isAlone = after == table.generation() && before.map { after == $0 &+ 1 } ?? true
            state.withLock {
                $0 = State(
                    rules: rules, listing: .read(listing), generation: isAlone ? after : nil, isKnown: true)
            }
            if isAlone { return }
        }
    }

    /// The rules are in force; that they are not there at the next boot is no reason to refuse a change.
    private func keep(_ body: String?) {
        do { try kept?.keep(body) } catch {
            logger.error(
                "the rules of networks are not kept for the next boot", metadata: ["error": "\(error)"])
        }
    }

    /// Looks whether the table is as it has to be, and says so where it cannot be.
    func check(asksKernel: Bool = true) async {
        do { try await ensure(asksKernel: asksKernel) } catch {
            logger.error(
                "the rules of networks could not be written",
                metadata: ["error": "\(Problem(describing: error).detail)"])
        }
    }

    /// Puts the table back whenever somebody has changed rules, until the task is cancelled.
    func run() async {
        guard table != nil else { return }
        await check()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.watch() }
            group.addTask { await self.learn() }
        }
    }

    private func watch() async {
        guard let watch = try? KernelWatch(.rules) else { return }
        for await _ in watch.changes where hasRules {
            if await !wasOurs() { await check() }
        }
    }

    /// Whether the last change was the one that was written last.
    private func wasOurs() async -> Bool {
        guard let table else { return false }
        let isSo = try? await turns.alone(inventory.instance) {
            let known = state.withLock { $0 }
            return known.generation != nil && known.generation == table.generation()
        }
        return isSo ?? false
    }

    /// Reads how the kernel spells what was written, in a quiet moment: by that alone can be told, later,
    /// that a change of others was none of ours.
    private func learn() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(2))
            if state.withLock({ $0.isKnown && $0.listing == .unread }) { await spell() }
        }
    }

    /// Reads how the kernel spells what was written, provided that it still has that.
    func spell() async {
        guard let table else { return }
        try? await turns.alone(inventory.instance) {
            let known = state.withLock { $0 }
            guard let generation = known.generation, generation == table.generation() else { return }
            let listing = try table.read()
            guard generation == table.generation() else { return }
            state.withLock { $0.listing = .read(listing) }
        }
    }

    /// Without networks of ours the changes of others are nobody's business.
    private var hasRules: Bool { state.withLock { $0.rules != nil } }
}
