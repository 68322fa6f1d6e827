// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Logging
import VctlAPI

/// What is still to be started after a boot of the host.
struct BootQueue: Codable, Hashable, Sendable {
    /// One VM that waits.
    struct Entry: Codable, Hashable, Sendable {
        var vm: ObjectID
        /// Seconds before the next one.
        var delay: Int
    }

    /// The boot that it was made for.
    var boot: String
    var waiting: [Entry] = []
    /// When the next one may be started.
    var notBefore: Timestamp?

    /// Those that are off and to be started by us: by their order, and in it by name.
    static func entries(_ vms: [VM]) -> [Entry] {
        let wanted = vms.filter { vm in
            vm.managed && vm.isStartedByOrder
                && (vm.state == .stopped || vm.state == .suspended || vm.state == .crashed)
        }
        let sorted = wanted.sorted {
            ($0.autostartOrder ?? Int.max, $0.name) < ($1.autostartOrder ?? Int.max, $1.name)
        }
        return sorted.map { Entry(vm: $0.id, delay: $0.autostartDelaySeconds ?? 0) }
    }
}

extension VM {
    /// Whether vctld starts it with the host, and not libvirt.
    var isStartedByOrder: Bool { autostart && (autostartOrder != nil || autostartDelaySeconds != nil) }
}

/// The queue in the inventory.
enum BootStore {
    private static let key = "boot"

    static func find(_ db: Database) throws -> BootQueue? {
        try String.fetchOne(db, sql: "SELECT value FROM meta WHERE key = ?", arguments: [key])
            .map { try JSON.value(BootQueue.self, $0) }
    }

    static func store(_ queue: BootQueue, _ transaction: Transaction) throws {
        try transaction.execute(
            "INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)", [key, try JSON.text(queue)])
    }
}

/// Starts VMs that have an order or a delay, once after each boot of the host and never otherwise: what an
/// admin has stopped stays so, however often the daemon is started. A first daemon notes the boot and starts
/// nothing, for it does not know what was stopped before.
struct BootStart: Sendable {
    static let warning = "vm.autostart"

    let vms: VMService
    let operations: OperationService
    /// Differs after each boot of the host.
    var boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8))?
        .trimmingCharacters(in: .whitespacesAndNewlines)
    /// How long it waits before it tries again.
    var pause = Duration.seconds(2)
    /// How often it tries to start what something else is done with.
    private static let attempts = 30

    private var inventory: Inventory { vms.inventory }

    /// Runs until nothing is left to be started.
    func run() async {
        guard let boot else { return }
        // The order is in the domains' marks, which only libvirt has.
        while !vms.environment.watcher.isSynced {
            guard (try? await Task.sleep(for: .milliseconds(500))) != nil else { return }
        }
        while !Task.isCancelled {
            do {
                try await begin(boot)
                while let queue = try await inventory.read({ try BootStore.find($0) }),
                    let next = queue.waiting.first
                {
                    try await sleep(until: queue.notBefore)
                    try await start(next)
                }
                return
            } catch {
                guard !(error is CancellationError) else { return }
                vms.environment.logger.warning(
                    "VMs are not started with the host yet",
                    metadata: ["error": "\(Problem(describing: error).detail)"])
                try? await Task.sleep(for: pause)
            }
        }
    }

    /// Makes the queue, once for each boot.
    func begin(_ boot: String) async throws {
        try await inventory.write { transaction in
            let known = try BootStore.find(transaction.db)
            guard known?.boot != boot else { return }
            var queue = BootQueue(boot: boot)
            if known != nil {
                let rows = try Row.fetchAll(transaction.db, sql: "SELECT \(VMRow.columns) FROM vm")
                let all = try rows.map { try VMRow($0).value() }
                queue.waiting = BootQueue.entries(all)
                let names = queue.waiting.compactMap { entry in all.first { $0.id == entry.vm }?.name }
                try transaction.emit(
                    "host.booted", nil, data: ["boot": boot, "starting": names.joined(separator: ",")])
            }
            try BootStore.store(queue, transaction)
        }
    }

    private func sleep(until time: Timestamp?) async throws {
        guard let time else { return }
        let left = time.milliseconds - Timestamp.now.milliseconds
        if left > 0 { try await Task.sleep(for: .milliseconds(left)) }
    }

    /// Starts the first of the queue, waits until that is done, and lets its delay begin.
    private func start(_ entry: BootQueue.Entry) async throws {
        guard let vm = try await inventory.read({ try VMStore.value($0, entry.vm) }), vm.managed,
            vm.isStartedByOrder, vm.state == .stopped || vm.state == .suspended || vm.state == .crashed
        else { return try await pop(entry, delay: 0) }
        do {
            try await finish(try await ask(entry), vm, entry)
        } catch let problem as Problem where problem.errorCode != .libvirtUnavailable {
            try await fail(vm, problem.detail)
            try await pop(entry, delay: 0)
        }
    }

    private func ask(_ entry: BootQueue.Entry) async throws -> ObjectID? {
        let context = RequestContext(caller: .daemon, action: "vm.start")
        let change = PowerChange.start(paused: false, discardState: false)
        for attempt in 1... {
            do {
                let accepted = try await vms.power(change, .id(entry.vm), context) { transaction in
                    try Self.pop(entry, delay: entry.delay, transaction)
                }
                if case .operation(let operation) = accepted { return operation.id }
                return nil
            } catch let problem as Problem
                where problem.errorCode == .vmBusy && attempt < Self.attempts
            {
                try await Task.sleep(for: pause)
            }
        }
        return nil
    }

    private func finish(_ id: ObjectID?, _ vm: VM, _ entry: BootQueue.Entry) async throws {
        guard let id else { return }
        var operation = try await operations.get(.id(id))
        while !operation.status.isFinal, operation.status != .stuck {
            try Task.checkCancellation()
            _ = try await operations.wait(.id(id), seconds: 60)
            operation = try await operations.get(.id(id))
        }
        if operation.status != .succeeded {
            try await fail(vm, operation.error?.detail ?? "it was cancelled")
        }
        try await inventory.write { transaction in
            guard var queue = try BootStore.find(transaction.db) else { return }
            queue.notBefore = Self.later(entry.delay)
            try BootStore.store(queue, transaction)
        }
    }

    private func fail(_ vm: VM, _ reason: String) async throws {
        try await inventory.write { transaction in
            try transaction.warn(
                Self.warning, "VM \(shown(vm.name)) was not started with the host: \(reason)",
                hint: "vctl vm start \(shown(vm.name))",
                subject: ObjectReference(kind: .vm, id: vm.id, name: vm.name))
        }
    }

    private func pop(_ entry: BootQueue.Entry, delay: Int) async throws {
        try await inventory.write { try Self.pop(entry, delay: delay, $0) }
    }

    /// Taken off in the commit that accepts its start: a daemon that dies then does not start it again.
    private static func pop(_ entry: BootQueue.Entry, delay: Int, _ transaction: Transaction) throws {
        guard var queue = try BootStore.find(transaction.db), queue.waiting.first == entry else {
            throw Problem(.vmState, "it is not to be started any more")
        }
        queue.waiting.removeFirst()
        if delay > 0 { queue.notBefore = later(delay) }
        try BootStore.store(queue, transaction)
    }

    private static func later(_ seconds: Int) -> Timestamp {
        Timestamp(milliseconds: Timestamp.now.milliseconds + Int64(seconds) * 1000)
    }
}
