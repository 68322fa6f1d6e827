// SPDX-License-Identifier: Apache-2.0
import Foundation
import HostNet
import Logging
import VctlAPI

/// Follows what becomes of changes that wait for somebody's word, and brings the inventory after it.
struct BridgeSettling: Sendable {
    let environment: VMEnvironment

    /// Looks once a second, as long as there is something to look at.
    func run() async {
        while !Task.isCancelled {
            if !environment.state.ordersOfWaysBack.isEmpty {
                do { try await settleAll() } catch {
                    environment.logger.warning("a bridge is not settled", metadata: ["error": "\(error)"])
                }
            }
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// All that nobody works on.
    func settleAll() async throws {
        let rows = try await environment.inventory.read { try KeptBridge.all($0) }
        for row in rows where row.operation == nil && row.record.pending != nil {
            await attempt(row.record.name.rawValue) { try await settle(row.record) }
        }
    }

    /// For the start of the daemon: what is left of changes that no bridge knows of, as after a crash between
    /// the end of a wait and the removal of its files, goes; what is not decided goes back before.
    func sweep() async throws {
        let rows = try await environment.inventory.read { try KeptBridge.all($0) }
        let known = Set(rows.filter { $0.operation != nil || $0.record.pending != nil }.map(\.record.id))
        for id in environment.state.ordersOfWaysBack where !known.contains(id) {
            let way = WayBack(path: environment.state.wayBack(id))
            if way.state == .open || way.state == .undoing {
                guard !way.isGuarded else { continue }
                guard await attempt("\(id)", { try await Blocking.run { try way.undo() } }) else { continue }
            }
            way.forget()
        }
    }

    /// One that cannot be settled must hold up neither the others nor the daemon's start.
    @discardableResult
    private func attempt(_ bridge: String, _ body: () async throws -> Void) async -> Bool {
        do {
            try await body()
            return true
        } catch {
            let what = "\(Problem(describing: error).detail)"
            environment.logger.warning(
                "a bridge is not settled", metadata: ["bridge": "\(bridge)", "error": "\(what)"])
            return false
        }
    }

    /// Ends the wait where it was decided, and sees to it that somebody decides when the time is over.
    /// - Parameter asked: whether somebody is waiting for it, who needs no warning.
    func settle(_ bridge: KeptBridge, asked: Bool = false) async throws {
        let way = WayBack(path: environment.state.wayBack(bridge.id))
        if way.state == .undoing && !way.isGuarded || way.state == .open && isForgotten(way) {
            try await Blocking.run { try way.undo() }
        }
        switch way.state {
        case .open: try await GuardedChange(environment, bridge).ensureGuard()
        case .undoing: return
        // Without its file nobody can undo it any more.
        case .confirmed, .none:
            try await end(bridge, way, as: bridge.pending?.isDeletion == true ? nil : bridge, asked)
        case .undone: try await end(bridge, way, as: bridge.pending?.previous.first, asked)
        }
    }

    /// After a reboot the kernel has forgotten the change; and a guard can be killed.
    private func isForgotten(_ way: WayBack) -> Bool {
        guard let order = way.order else { return false }
        return order.isOfEarlierBoot || order.isOver && !way.isGuarded
    }

    private func end(
        _ bridge: KeptBridge, _ way: WayBack, as outcome: KeptBridge?, _ asked: Bool
    ) async throws {
        var outcome = outcome
        outcome?.pending = nil
        let (isUndone, state, final) = (way.state == .undone, environment.state, outcome)
        let isUnasked = !asked && (way.order.map { $0.isOver || $0.isOfEarlierBoot } ?? false)
        try await environment.inventory.write { transaction in
            // Somebody else may have ended it a moment ago.
            let now = try KeptBridge.find(transaction.db, .id(bridge.id))
            guard now?.operation == nil, now?.record.pending == bridge.pending else { return }
            try transaction.emit("bridge.\(isUndone ? "rolledBack" : "confirmed")", bridge.reference)
            if isUndone, isUnasked { try Self.warn(bridge, isLeft: final != nil, transaction) }
            guard let final else {
                try state.forget(.bridge, bridge.id)
                return try transaction.remove(link: bridge, operation: nil)
            }
            try transaction.update(link: final, operation: nil)
            try state.keep(.bridge, bridge.id, final)
        }
        way.forget()
    }

    private static func warn(_ bridge: KeptBridge, isLeft: Bool, _ transaction: Transaction) throws {
        try transaction.warn(
            "bridge.rolledBack",
            "the change of bridge \(bridge.name) was not confirmed in time, and has gone back",
            hint: "vctl bridge list", subject: isLeft ? bridge.reference : nil)
    }
}

extension StateDirectory {
    /// Where changes are that wait for somebody's word.
    private var waysBack: String { "\(path)/guard" }
    func wayBack(_ bridge: ObjectID) -> String { "\(waysBack)/\(bridge).json" }

    /// The bridges that something is left of there.
    var ordersOfWaysBack: Set<ObjectID> {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: waysBack)) ?? []
        return Set(files.compactMap { ObjectID(String($0.prefix { $0 != "." })) })
    }

    static func make(_ folder: String) throws {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }
}
