// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Libvirt
import Logging
import Synchronization
import VctlAPI

/// Keeps the projection of libvirt's domains: everything after each connection, one domain after each event.
/// An event is only a hint to read that domain again.
final class Watcher: Sendable {
    let inventory: Inventory
    let hypervisor: Hypervisor
    let logger: Logger
    private let synced = Mutex(false)
    private let lost = Mutex<Timestamp?>(nil)
    private let catchingUp = Mutex(false)
    /// Called with a VM that is off and was to be renamed then.
    let renames = Mutex<(@Sendable (ObjectID) async -> Void)?>(nil)
    /// Called when VMs were read that are off.
    let stopped = Mutex<(@Sendable () async -> Void)?>(nil)
    /// Called when networks were read.
    let networksRead = Mutex<(@Sendable () async -> Void)?>(nil)
    /// Called with VMs that were read.
    let vmsRead = Mutex<(@Sendable ([VM]) async -> Void)?>(nil)
    /// Domains that were gone while an operation held their VM.
    private let goneMeanwhile = Mutex<Set<ObjectID>>([])
    /// How long after a failed reading everything is read again.
    private static let pause = Duration.seconds(1)

    init(inventory: Inventory, hypervisor: Hypervisor, logger: Logger) {
        self.inventory = inventory
        self.hypervisor = hypervisor
        self.logger = logger
    }

    /// Whether everything was read since the connection was made.
    var isSynced: Bool { synced.withLock { $0 } }

    /// How old the view is: now, while events flow.
    var observedAt: Timestamp { lost.withLock { $0 } ?? .now }

    /// Follows libvirt until the task is cancelled.
    func run() async {
        lost.withLock { if $0 == nil, !isSynced { $0 = .now } }
        let absence = Task { await tellOfAbsence() }
        defer { absence.cancel() }
        for await event in hypervisor.managed.events() {
            do { try await handle(event) } catch { missed(error) }
        }
    }

    /// A libvirt that was never there sends no event of its loss.
    private func tellOfAbsence() async {
        for await state in hypervisor.managed.states() {
            if case .connected = state { return }
            guard case .disconnected(let error) = state else { continue }
            do { return try await disconnected(error) } catch { missed(error) }
        }
    }

    /// What could not be read is read later with everything else. A lost connection needs no second attempt:
    /// the next one begins by reading everything.
    private func missed(_ error: any Error) {
        logger.warning(
            "libvirt's state could not be read", metadata: ["error": "\(Problem(describing: error).detail)"])
        let first = catchingUp.withLock { busy in
            defer { busy = true }
            return !busy
        }
        guard first else { return }
        Task { [weak self] in
            try? await Task.sleep(for: Self.pause)
            guard let self else { return }
            catchingUp.withLock { $0 = false }
            guard hypervisor.isConnected else { return }
            do { try await resync() } catch { missed(error) }
        }
    }

    private func handle(_ event: LibvirtEvent) async throws {
        switch event {
        case .reconnected, .overflow: try await resync()
        case .disconnected(let error): try await disconnected(error)
        case .domain(let reference, _): try await refresh(ObjectID(reference.uuid))
        case .network(let reference, _): try await refreshNetwork(ObjectID(reference.uuid))
        case .storagePool: break
        }
    }

    private func disconnected(_ error: LibvirtError) async throws {
        synced.withLock { $0 = false }
        lost.withLock { $0 = .now }
        logger.warning("libvirt is gone", metadata: ["reason": "\(error.message)"])
        try await inventory.write { transaction in
            try transaction.warn(
                "libvirt.unavailable", "libvirt cannot be reached: \(shown(error.message, limit: 300))",
                hint: "systemctl status libvirtd")
        }
    }

    /// Reads every domain and makes the inventory equal to them, in one commit.
    func resync() async throws {
        // First: what is known of them decides about rules, as soon as all counts as read.
        try await resyncNetworks()
        let reading = inventory.readings.begin()
        let records = try await hypervisor.connection().domainRecords()
        let known = inventory.instance
        let time = Timestamp.now
        let vms = records.map { DomainProjection(DomainView($0), instance: known, observedAt: time).vm }
        try await inventory.write { [inventory] transaction in
            try transaction.replaceAll(
                with: vms, at: time, where: { inventory.readings.isNewest(reading, of: $0) },
                gone: { try self.vanished($0, at: time, transaction) })
            try transaction.clearWarning("libvirt.unavailable")
            try Comparison.note(transaction, at: time)
        }
        await networksRead.withLock { $0 }?()
        // A loss that came meanwhile stands.
        guard hypervisor.isConnected else { return }
        vms.forEach(rename)
        await vmsRead.withLock { $0 }?(vms)
        await stopped.withLock { $0 }?()
        synced.withLock { $0 = true }
        lost.withLock { $0 = nil }
        logger.info("read libvirt", metadata: ["domains": "\(vms.count)"])
    }

    /// Reads one domain again.
    func refresh(_ id: ObjectID) async throws {
        let reading = inventory.readings.begin()
        let record = try await hypervisor.connection().domainRecord(uuid: id.uuid)
        let time = Timestamp.now
        let vm = record.map {
            DomainProjection(DomainView($0), instance: inventory.instance, observedAt: time).vm
        }
        try await inventory.write { [inventory] transaction in
            guard inventory.readings.isNewest(reading, of: id) else { return }
            if let vm { try transaction.observe(vm) } else { try self.vanished(id, at: time, transaction) }
        }
        if let vm { rename(vm) }
        await vmsRead.withLock { $0 }?([vm].compactMap(\.self))
        if vm?.state != .running { await stopped.withLock { $0 }?() }
    }

    private func rename(_ vm: VM) {
        guard vm.managed, vm.state == .stopped, vm.pending?["name"] != nil else { return }
        guard let renames = renames.withLock({ $0 }) else { return }
        Task { await renames(vm.id) }
    }

    /// Reads again what was gone while an operation had it: now it is nobody's business but ours.
    func operationEnded() async {
        let ids = goneMeanwhile.withLock { ids in
            defer { ids = [] }
            return ids
        }
        for id in ids {
            do { try await refresh(id) } catch { missed(error) }
        }
        await stopped.withLock { $0 }?()
    }

    private func vanished(_ id: ObjectID, at time: Timestamp, _ transaction: Transaction) throws {
        guard try !transaction.vanished(id, at: time) else { return }
        goneMeanwhile.withLock { _ = $0.insert(id) }
    }
}

extension Transaction {
    /// Stores what libvirt says of one domain, and keeps the addresses that are known of its NICs.
    func observe(_ vm: VM) throws {
        var vm = vm
        if let old = try VMStore.value(db, vm.id) { vm.keepGuest(of: old) }
        try giveWay(to: vm)
        try store(vm)
    }

    /// A domain whose name a row still has under another id: that row is stale, or about to be renamed too.
    private func giveWay(to vm: VM) throws {
        try execute(
            "UPDATE vm SET name = id WHERE name = ? AND id <> ? AND state <> 'missing'",
            [vm.name, vm.id.rawValue])
    }

    func replaceAll(
        with vms: [VM], at time: Timestamp, where isNewest: (ObjectID) -> Bool,
        gone: (ObjectID) throws -> Void
    ) throws {
        let present = Set(vms.map(\.id.rawValue))
        for text in try String.fetchAll(db, sql: "SELECT id FROM vm") where !present.contains(text) {
            if let id = ObjectID(text), isNewest(id) { try gone(id) }
        }
        for vm in vms where isNewest(vm.id) { try observe(vm) }
        try execute("UPDATE vm SET observed_at = ?", [time.milliseconds])
    }

    /// A domain that libvirt does not have: what we made is shown as missing; what was foreign is forgotten.
    /// - Returns: `false` while an operation holds it, whose business it is.
    func vanished(_ id: ObjectID, at time: Timestamp) throws -> Bool {
        guard let row = try VMStore.find(db, .id(id)) else { return true }
        guard row.operation == nil else { return false }
        var vm = try row.value()
        guard vm.managed else {
            try removeVM(id, origin: .libvirt)
            return true
        }
        guard vm.state != .missing else { return true }
        vm.state = .missing
        vm.stateReason = .undefined
        vm.observedAt = time
        vm.operation = nil
        try store(vm)
        return true
    }
}

extension VM {
    /// Takes over what was learned from the guest, while it runs: the addresses of NICs that are still the
    /// same, and what its agent has said, as long as that is there.
    mutating func keepGuest(of old: VM) {
        guard state == .running || state == .paused else { return }
        if let now = agent, let before = old.agent, (now.state == .down) == (before.state == .down) {
            agent = before
        }
        if agent?.state != .down, agent != nil { guest = old.guest }
        for index in nics.indices {
            guard let same = old.nics.first(where: { $0.mac == nics[index].mac }) else { continue }
            nics[index].addresses = same.addresses
        }
    }
}
