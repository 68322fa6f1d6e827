// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Logging
import VctlAPI

extension Caller {
    /// The daemon itself, for what it does unasked.
    static var daemon: Caller {
        Caller(uid: Int(geteuid()), user: "vctld", pid: Int(getpid()), role: .admin)
    }
}

/// Starts VMs again that have crashed, and gives up those that do so too often. What is to be done is in the
/// inventory, so that a daemon which dies meanwhile changes nothing.
struct CrashRestart: Sendable {
    static let warning = "vm.crashLoop"
    /// Seconds before a restart that could not be asked for is tried again.
    private static let retry = 5

    let vms: VMService
    let limits: CrashLimits

    private var inventory: Inventory { vms.inventory }

    /// Runs until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            do {
                let last = try await inventory.lastEvent()
                let due = try await turn(now: .now)
                try await sleep(until: due, orEventAfter: last)
            } catch {
                vms.environment.logger.warning(
                    "crashed VMs could not be looked after",
                    metadata: ["error": "\(Problem(describing: error).detail)"])
                try? await Task.sleep(for: .seconds(Self.retry))
            }
        }
    }

    /// Does what is to be done now.
    /// - Returns: when there is something to be done next.
    func turn(now: Timestamp) async throws -> Timestamp? {
        var next: Timestamp?
        for (vm, record) in try await inventory.read({ try CrashStore.all($0) }) {
            switch record.phase {
            case .noted: next = Self.earlier(next, try await decide(vm, now))
            case .waiting:
                let due = record.due ?? now
                next = Self.earlier(next, due > now ? due : try await restart(vm, now))
            case .restarted, .gaveUp: break
            }
        }
        return next
    }

    private static func earlier(_ one: Timestamp?, _ other: Timestamp?) -> Timestamp? {
        guard let one, let other else { return one ?? other }
        return min(one, other)
    }

    private func sleep(until due: Timestamp?, orEventAfter last: Int64) async throws {
        guard let due else {
            _ = await inventory.bus.wait(after: last)
            return
        }
        let seconds = Double(due.milliseconds - Timestamp.now.milliseconds) / 1000
        await Deadline.run(seconds: max(0.01, seconds)) { [inventory] in
            _ = await inventory.bus.wait(after: last)
        }
        try Task.checkCancellation()
    }

    private func decide(_ id: ObjectID, _ now: Timestamp) async throws -> Timestamp? {
        try await inventory.write { [limits] transaction -> Timestamp? in
            guard var record = try CrashStore.find(transaction.db, id),
                record.phase == .noted || record.isAsked == true,
                let row = try VMStore.find(transaction.db, .id(id))
            else { return nil }
            if record.phase == .waiting { record.times.append(now) }
            record.decide(limits, now: now)
            try transaction.store(record, of: id)
            try transaction.showReason(of: row, record)
            record.phase == .gaveUp
                ? try transaction.giveUp(row, limits) : try transaction.announce(row, record, limits)
            return record.due
        }
    }

    /// - Returns: when it is to be tried again; `nil` when it was accepted, or makes no sense any more.
    private func restart(_ id: ObjectID, _ now: Timestamp) async throws -> Timestamp? {
        guard let (vm, record) = try await wanted(id) else { return nil }
        let later = Timestamp(milliseconds: now.milliseconds + Int64(Self.retry) * 1000)
        if record.isAsked == true { return vm.operation == nil ? try await decide(id, now) : later }
        // A domain whose guest has panicked and that libvirt was told to keep has to go first.
        let change: PowerChange =
            vm.state == .crashed
            ? .restart(graceSeconds: 0, force: true) : .start(paused: false, discardState: false)
        let context = RequestContext(caller: .daemon, action: "vm.start")
        do {
            _ = try await vms.power(change, .id(id), context) { transaction in
                guard var record = try CrashStore.find(transaction.db, id), record.phase == .waiting else {
                    throw Problem(.vmState, "VM \(shown(vm.name)) is not to be started any more")
                }
                (record.isAsked, record.due) = (true, later)
                try transaction.store(record, of: id)
            }
            return later
        } catch let problem as Problem {
            vms.environment.logger.info(
                "a crashed VM is not started yet",
                metadata: ["vm": "\(vm.name)", "reason": "\(problem.detail)"])
            return later
        }
    }

    /// The VM, if it is still down and to be started again; else nothing is known of its crashes any more.
    private func wanted(_ id: ObjectID) async throws -> (VM, CrashRecord)? {
        try await inventory.write { transaction -> (VM, CrashRecord)? in
            let vm = try VMStore.value(transaction.db, id)
            if let vm, vm.managed, vm.onCrash == .restart, vm.state == .stopped || vm.state == .crashed,
                let record = try CrashStore.find(transaction.db, id), record.phase == .waiting
            {
                return (vm, record)
            }
            try transaction.forgetCrashes(id)
            return nil
        }
    }
}

extension Transaction {
    /// Shows in the VM why it is off. What is told of it is said by other events.
    fileprivate func showReason(of row: VMRow, _ record: CrashRecord) throws {
        var vm = try row.value()
        vm.stateReason = record.reason(of: vm) ?? vm.stateReason
        try execute(
            "UPDATE vm SET document = ?, revision = revision + 1 WHERE id = ?",
            [try VMDocument.text(vm), row.id.rawValue])
    }

    fileprivate func announce(_ row: VMRow, _ record: CrashRecord, _ limits: CrashLimits) throws {
        try emit(
            "vm.restarting", row.reference,
            data: [
                "attempt": "\(record.times.count)", "of": "\(limits.restarts)",
                "at": record.due.map { "\($0)" } ?? "", "stateReason": StateReason.restarting.rawValue,
            ])
    }

    fileprivate func giveUp(_ row: VMRow, _ limits: CrashLimits) throws {
        let minutes = max(1, limits.windowSeconds / 60)
        let times = limits.restarts + 1
        try emit(
            "vm.crashLoop", row.reference,
            data: ["crashes": "\(times)", "stateReason": StateReason.crashLoop.rawValue])
        try warn(
            CrashRestart.warning,
            "VM \(shown(row.name)) crashed \(times) times within \(minutes) min, and is not started again",
            hint: "vctl vm console \(shown(row.name)) --log; then vctl vm start \(shown(row.name))",
            subject: row.reference)
    }
}
