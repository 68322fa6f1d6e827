// SPDX-License-Identifier: Apache-2.0
import GRDB
import HostNet
import Logging
import VctlAPI

/// Makes links so as they are kept: after a reboot, when all are gone, and where an earlier daemon came only
/// half-way. A link that was made whole is the administrator's to change: what it lacks later is shown, and
/// not undone. What cannot be made so is tried again, for the card that a bridge waits for may appear later.
actor LinkKeeping {
    private let environment: VMEnvironment
    /// The links that are not known to be as they are kept.
    private var open: Set<ObjectID> = []
    /// What bridges still wait for that were made once, but for that.
    private var waits: [ObjectID: BridgeWait] = [:]
    /// The numbers of bridges' ports, by the ports' names.
    private var ports: [ObjectID: [String: Int]] = [:]
    /// What was warned of, so that it is said once.
    private var told: [ObjectID: String] = [:]

    init(environment: VMEnvironment) { self.environment = environment }

    /// Makes those that are not there, or that an earlier daemon did not make whole. For the start of the
    /// daemon, before requests are served.
    func run() async throws {
        let (all, begun) = try await environment.inventory.read { db in
            let ids = try KeptBridge.all(db).map(\.record.id) + KeptTAP.all(db).map(\.record.id)
            return (ids, try BegunLinks.find(db))
        }
        let marks = MarkedLinks(host: environment.hostLinks, instance: environment.state.instance)
        let there = Set(try await environment.hostLinks.all().compactMap(\.alias))
        open.formUnion(all.filter { begun.contains($0) || !there.contains(marks.mark($0)) })
        try await remember()
        try await check()
        try await remember()
    }

    /// Keeps for a daemon that comes after this one what is not whole yet.
    private func remember() async throws {
        let ids = open
        let known = try await environment.inventory.read { try BegunLinks.find($0) }
        guard known != ids else { return }
        try await environment.inventory.write { try BegunLinks.store(ids, $0) }
    }

    /// Looks again whenever somebody has changed links, and from time to time as long as something is not as
    /// it is kept; until the task is cancelled.
    func keep() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.watch() }
            group.addTask { await self.retry() }
        }
    }

    private func watch() async {
        guard let watch = try? KernelWatch(.links) else { return }
        for await _ in watch.changes {
            await attempt("links are not looked at") { try await check() }
            // Others make many links at once.
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    private func retry() async {
        var pause = 1
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(pause))
            pause = open.isEmpty ? 1 : min(pause * 2, 30)
            guard !open.isEmpty else { continue }
            await attempt("links are not looked at") { try await check() }
        }
    }

    private func attempt(_ failure: Logger.Message, _ body: () async throws -> Void) async {
        do {
            try await body()
            try await remember()
        } catch {
            environment.logger.warning(
                failure, metadata: ["error": "\(Problem(describing: error).detail)"])
        }
    }

    private func check() async throws {
        let (bridges, taps) = try await environment.inventory.read { db in
            (try KeptBridge.all(db), try KeptTAP.all(db))
        }
        open.formIntersection(bridges.map(\.record.id) + taps.map(\.record.id))
        if bridges.contains(where: { !$0.record.ports.isEmpty }) {
            let links = try await environment.hostLinks.all()
            let addresses = try await environment.hostLinks.addresses()
            for row in bridges { notice(row.record, links, addresses) }
        }
        guard !open.isEmpty else { return }
        // Bridges first: TAPs are ports of them.
        let (maker, tapMaker) = (BridgeMaker(environment), TAPMaker(environment))
        for row in bridges {
            let (id, wait) = (row.record.id, waits[row.record.id])
            let isTried = await mend(row.record) { bridge in
                guard let wait else { return try await maker.makeSo(bridge) }
                try await maker.complete(bridge, wait)
            }
            guard isTried, open.contains(id) else { continue }
            let next = try await maker.wait(of: row.record, after: wait)
            waits[id] = next
            // It is told what it lacks, and nothing more can be done.
            if next?.isOver == true { open.remove(id) }
        }
        for row in taps { await mend(row.record) { try await tapMaker.ensure($0) } }
    }

    /// A port that was pulled out, or is another one now, has to be taken in again; and addresses that came
    /// to the uplink later have to move.
    private func notice(_ bridge: KeptBridge, _ links: [Link], _ addresses: [Address]) {
        let kept = Set(bridge.ports.map(\.rawValue))
        let pairs = links.filter { kept.contains($0.name) }.map { ($0.name, $0.index) }
        let now = Dictionary(pairs) { first, _ in first }
        let before = ports.updateValue(now, forKey: bridge.id) ?? now
        let lost = before.filter { kept.contains($0.key) && now[$0.key] != $0.value }
        let uplink = bridge.uplink.flatMap { now[$0.rawValue] }
        let isLate = bridge.addressesOfUplink.contains { own in
            addresses.contains { $0.link == uplink && $0.isSame(as: own) }
        }
        // One that is still to be made gets all of it.
        guard !lost.isEmpty || isLate, !open.contains(bridge.id) || waits[bridge.id] != nil else { return }
        open.insert(bridge.id)
        waits[bridge.id, default: BridgeWait()].ports.formUnion(lost.keys)
        if isLate { waits[bridge.id]?.movesLeft = BridgeWait.moves }
    }

    /// Nothing is done to what an operation works on, or what waits for somebody's word; such an operation
    /// lets this end before it begins.
    /// - Returns: whether it was tried.
    @discardableResult
    private func mend<Record: LinkRecord>(
        _ record: Record, _ body: @Sendable (Record) async throws -> Void
    ) async -> Bool {
        let id = record.id
        guard open.contains(id) else { return false }
        do {
            guard try await makeSo(id, body) else { return false }
            open.remove(id)
            waits[id] = nil
            try await say(nil, of: record)
        } catch {
            await attempt("a warning is not stored") { try await say(Problem(describing: error), of: record) }
        }
        return true
    }

    /// - Returns: whether it was one's turn.
    private nonisolated func makeSo<Record: LinkRecord>(
        _ id: ObjectID, _ body: @Sendable (Record) async throws -> Void
    ) async throws -> Bool {
        try await environment.linkTurns.alone(id) {
            let row = try await environment.inventory.read { try Record.find($0, .id(id)) }
            guard let row, row.operation == nil, !row.record.isUndecided else { return false }
            try await body(row.record)
            return true
        }
    }

    private func say<Record: LinkRecord>(_ problem: Problem?, of record: Record) async throws {
        let (noun, code) = (Record.kind.rawValue, "link.missing")
        guard let problem else {
            let isNew = told.removeValue(forKey: record.id) != nil
            let sql = "SELECT count(*) FROM warning WHERE code = ? AND subject = ?"
            let isWarned = try await environment.inventory.read {
                try Int.fetchOne($0, sql: sql, arguments: [code, record.id.rawValue]) ?? 0 > 0
            }
            if isNew { environment.logger.info("as it is kept", metadata: [.init(noun): "\(record.name)"]) }
            guard isWarned else { return }
            return try await environment.inventory.write {
                try $0.clearWarning(code, subject: record.id)
            }
        }
        let text = "\(noun) \(record.name) is not as it is kept: \(problem.detail)"
        guard told.updateValue(text, forKey: record.id) != text else { return }
        environment.logger.warning("a link is not as it is kept", metadata: [.init(noun): "\(text)"])
        try await environment.inventory.write { transaction in
            try transaction.warn(code, text, hint: problem.hint, subject: record.reference)
        }
    }
}

extension VMEnvironment {
    /// Waits until nobody makes a link so as it is kept. Afterwards nobody begins to, as long as an operation
    /// holds it.
    func awaitKeeping(of link: ObjectID) async throws { try await linkTurns.alone(link) {} }
}

/// What a bridge still waits for.
struct BridgeWait: Hashable, Sendable {
    /// Ports that were not there.
    var ports: Set<String> = []
    /// How often what its uplink had is still tried to be moved, once that is a port. One that was pulled out
    /// and comes back has nothing that would have to.
    var movesLeft = 0

    /// A gateway may come to be reached a while later; in the long run it is somebody's to decide.
    static let moves = 5

    var isOver: Bool { ports.isEmpty && movesLeft == 0 }
}

/// The links that are not whole yet, in the inventory.
private enum BegunLinks {
    private static let key = "links"

    static func find(_ db: Database) throws -> Set<ObjectID> {
        let text = try String.fetchOne(db, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])
        return try text.map { Set(try JSON.value([ObjectID].self, $0)) } ?? []
    }

    static func store(_ ids: Set<ObjectID>, _ transaction: Transaction) throws {
        let text = try JSON.text(ids.sorted { $0.rawValue < $1.rawValue })
        try transaction.execute("INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)", [key, text])
    }
}
