// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostNet
import Logging
import Synchronization
import VctlAPI

/// The table of nftables that this instance has, and no other.
protocol PacketTable: Sendable {
    func replace(with body: String?) throws
    func read() throws -> String?
}

extension NftablesTable: PacketTable {}

/// That of a daemon which may write none: what needs rules fails.
struct NoTable: PacketTable {
    func read() throws -> String? { nil }
    func replace(with body: String?) throws {
        guard body != nil else { return }
        throw HostNetError(
            call: "write packet rules", errno: EPERM, message: "vctld must run as root for that",
            isOfRules: true)
    }
}

/// Keeps our table equal to what the networks ask for: before a network starts, after each change, and again
/// when somebody else has removed or changed it.
final class Firewall: Sendable {
    private struct State {
        /// What was written last.
        var body: String?
        /// How the kernel spells that.
        var listing: String?
        /// Whether something was written since the daemon started.
        var isKnown = false
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
    func isIntact(for network: Network) -> Bool? {
        guard let table, PacketRules([network]).body != nil else { return nil }
        let known = state.withLock { $0 }
        return known.isKnown && (try? table.read()) == known.listing
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
            try write(rules.body, to: table, asksKernel)
            loopback.forEach { HostSwitch.routeLoopback($0, true) }
            taps.forEach(HostSwitch.hairpin)
        }
    }

    private func write(_ body: String?, to table: any PacketTable, _ asksKernel: Bool) throws {
        let known = state.withLock { $0 }
        let isSame = known.isKnown && known.body == body
        if isSame, try !asksKernel || table.read() == known.listing { return }
        // A kernel without nftables is fine as long as no network needs it.
        if body == nil, !known.isKnown, (try? table.read()) == nil { return keep(nil) }
        if isSame { logger.warning("others changed the rules of networks; they are put back") }
        try table.replace(with: body)
        keep(body)
        let listing = try table.read()
        state.withLock { $0 = State(body: body, listing: listing, isKnown: true) }
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
        guard let watch = try? KernelWatch(.rules) else { return }
        for await _ in watch.changes where hasRules { await check() }
    }

    /// Without networks of ours the changes of others are nobody's business.
    private var hasRules: Bool { state.withLock { $0.body != nil } }
}
