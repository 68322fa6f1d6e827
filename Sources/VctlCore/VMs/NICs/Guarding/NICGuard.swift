// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostNet
import Logging
import Synchronization
import VctlAPI

/// Keeps our table of the family `bridge` equal to what guarded NICs ask for: before a guest's first packet,
/// after each change, and again when somebody else has removed or changed it.
final class NICGuard: Sendable {
    private struct State {
        /// For whom rules were written last; `nil`: none were since the daemon started.
        var written: [GuardedNIC]?
        /// What their groups allowed then.
        var groups: [String: [SecurityRule]] = [:]
        /// How the kernel spells them, without what was learned.
        var shape: String?
        /// What was learned, for when somebody removes the table.
        var learned: [String: Set<IPAddress>] = [:]
        /// NICs that are about to be there, by TAP.
        var held: [String: GuardedNIC] = [:]
        /// Whether the table is not what it has to be, since it could not be written.
        var isBehind = false
    }

    private let inventory: Inventory
    /// `nil`: a libvirt whose guests are made up.
    private let table: (any PacketTable)?
    private let logger: Logger
    private let turns = Turns()
    private let state = Mutex(State())

    init(inventory: Inventory, table: (any PacketTable)?, logger: Logger) {
        self.inventory = inventory
        self.table = table
        self.logger = logger
    }

    /// Makes the table what it has to be.
    /// - Parameter asksKernel: whether it is looked if others have changed the table, and what was learned.
    /// - Throws: ``HostNetError``.
    func ensure(asksKernel: Bool = true) async throws {
        guard let table else { return }
        try await turns.alone(inventory.instance) {
            let (isRead, known) = try await inventory.read {
                (try Comparison.wasMade($0), try GuardedNICs($0))
            }
            let taps = Set(known.nics.map(\.tap))
            let held = state.withLock { state in
                state.held = state.held.filter { !taps.contains($0.key) }
                return state.held.values.sorted { $0.tap < $1.tap }
            }
            let nics = known.nics + held.map(known.completed)
            // Which VMs there are is not known yet, and the rules that are there may be theirs.
            guard isRead || !held.isEmpty else { return }
            do {
                try write(nics, known, to: table, asksKernel)
                try await isAbreast(true)
            } catch {
                try? await isAbreast(false, "\(Problem(describing: error).detail)")
                throw error
            }
        }
    }

    /// Rules for NICs that are about to be there.
    /// - Throws: ``HostNetError``.
    func hold(_ nics: [GuardedNIC]) async throws {
        guard !nics.isEmpty else { return }
        state.withLock { state in for nic in nics { state.held[nic.tap] = nic } }
        try await ensure()
    }

    /// They are not going to be there.
    /// - Throws: ``HostNetError``.
    func drop(_ taps: [String]) async throws {
        let had = state.withLock { state in taps.count { state.held.removeValue(forKey: $0) != nil } }
        if had > 0 { try await ensure() }
    }

    private func write(
        _ nics: [GuardedNIC], _ known: GuardedNICs, to table: any PacketTable, _ asksKernel: Bool
    ) throws {
        let before = state.withLock { $0 }
        let used = Set(nics.flatMap { $0.groups ?? [] })
        let groups = known.groups.filter { used.contains($0.key) }
        let isWanted = before.written == nics && before.groups == groups
        if isWanted, !before.isBehind, nics.isEmpty || !asksKernel { return }
        guard let found = try present(in: table, isNeeded: !nics.isEmpty) else {
            return state.withLock { $0.written = [] }
        }
        let learned = Self.learned(nics, before, found)
        let own = nics.reduce(into: learned) { learned, nic in
            learned[nic.tap] = learned[nic.tap]?.filter { !known.isForeign($0, to: nic) }
        }
        let isSame = isWanted && found.shape == before.shape
        if isSame, own == learned { return state.withLock { $0.learned = own } }
        if isWanted, !isSame {
            logger.warning("others changed the rules of NICs; they are put back")
        }
        try replace(GuardRules(nics: nics, learned: own, groups: groups), in: table)
        let now = GuardRules.Listing(try table.read() ?? "")
        state.withLock { state in
            (state.written, state.shape, state.learned, state.groups) = (nics, now.shape, own, groups)
        }
    }

    /// Where no rules stand yet, some are better than none: those that every kernel has.
    private func replace(_ rules: GuardRules, in table: any PacketTable) throws {
        do { try table.replace(with: rules.body) } catch {
            var least = rules
            least.followsFlows = false
            if (try? table.read()) == nil { try? table.replace(with: least.body) }
            throw error
        }
    }

    private static let code = "nics.rules"

    private func isAbreast(_ isSo: Bool, _ reason: String = "") async throws {
        let wasBehind = state.withLock { state in
            defer { state.isBehind = !isSo }
            return state.isBehind
        }
        guard wasBehind == isSo else { return }
        try await inventory.write { transaction in
            if isSo { return try transaction.clearWarning(Self.code) }
            try transaction.warn(
                Self.code,
                "the rules of NICs with security groups or anti-spoofing are not in force: \(reason)",
                hint: "vctld goes on trying; nft list table bridge vctl; vctl host doctor")
        }
    }

    /// What the table says, or said before somebody removed it; of NICs that were moved, nothing.
    private static func learned(_ nics: [GuardedNIC], _ before: State, _ found: GuardRules.Listing)
        -> [String: Set<IPAddress>]
    {
        let places = Dictionary(
            (before.written ?? []).map { ($0.tap, $0.place) }, uniquingKeysWith: { first, _ in first })
        let isThere = found.shape == before.shape || before.written == nil
        return nics.reduce(into: [:]) { learned, nic in
            guard nic.isRunning, places[nic.tap] ?? nic.place == nic.place else { return }
            let earlier = isThere ? [] : before.learned[nic.tap] ?? []
            learned[nic.tap] = found.learned(nic).union(earlier)
        }
    }

    /// What stands in the table; `nil` where it need not be there, and is not: a kernel without nftables is
    /// fine as long as no NIC needs it.
    private func present(in table: any PacketTable, isNeeded: Bool) throws -> GuardRules.Listing? {
        guard !isNeeded else { return GuardRules.Listing(try table.read() ?? "") }
        return (try? table.read()).flatMap { $0 }.map(GuardRules.Listing.init)
    }

    /// Looks whether the table is as it has to be, and says so where it cannot be.
    func check(asksKernel: Bool = true) async {
        do { try await ensure(asksKernel: asksKernel) } catch {
            logger.error(
                "the rules of NICs could not be written",
                metadata: ["error": "\(Problem(describing: error).detail)"])
        }
    }

    /// Follows what was read of VMs.
    func noticed(_ vms: [VM]) async {
        guard hasRules || vms.contains(where: { $0.nics.contains(where: \.isGuarded) }) else {
            return
        }
        await check(asksKernel: false)
    }

    /// Puts the table back whenever somebody has changed rules, and tries again what could not be written,
    /// until the task is cancelled.
    func run() async {
        guard table != nil else { return }
        await check()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.watch() }
            group.addTask { await self.retry() }
        }
    }

    private func watch() async {
        guard let watch = try? KernelWatch(.rules) else { return }
        for await _ in watch.changes where hasRules { await check() }
    }

    private func retry() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(5))
            if state.withLock(\.isBehind) { await check() }
        }
    }

    /// Without guarded NICs the changes of others are nobody's business.
    private var hasRules: Bool { state.withLock { $0.written?.isEmpty == false } }
}

extension NICGuard {
    /// - Throws: ``Problem`` `request.invalid` where nobody could be kept from anything.
    static func refuseImpossible(_ uri: String, field: String) throws {
        guard geteuid() != 0, !uri.hasPrefix("test:") else { return }
        throw NICHost.refusal(
            field, "only a vctld that runs as root can filter what guests send", "run vctld as root")
    }
}
