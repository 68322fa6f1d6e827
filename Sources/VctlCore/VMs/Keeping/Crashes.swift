// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

/// How often a VM that crashes is started again, and after which pauses.
public struct CrashLimits: Hashable, Sendable {
    /// The most restarts within the window.
    public var restarts: Int
    /// Seconds after which a crash counts no more.
    public var windowSeconds: Int
    /// Seconds before the first restart; each further one within the window waits twice as long.
    public var pauseSeconds: Int

    /// The defaults are those of the configuration.
    public init(restarts: Int = 5, windowSeconds: Int = 600, pauseSeconds: Int = 2) {
        self.restarts = restarts
        self.windowSeconds = windowSeconds
        self.pauseSeconds = pauseSeconds
    }

    /// No pause is longer: somebody waits for that VM.
    static let longestPause = 300

    /// Seconds before the restart of that number, from 1.
    func pause(before attempt: Int) -> Int {
        // Beyond 2^20 every pause is the longest.
        min(pauseSeconds << min(attempt - 1, 20), Self.longestPause)
    }
}

/// What is known of a VM that has crashed.
struct CrashRecord: Codable, Hashable, Sendable {
    enum Phase: String, Codable, Sendable {
        /// It has crashed, and nothing is decided.
        case noted
        /// It will be started at `due`.
        case waiting
        /// It was started again.
        case restarted
        /// It has crashed too often.
        case gaveUp
    }

    var phase: Phase
    /// When it crashed, within the window.
    var times: [Timestamp]
    /// When something is to be done next.
    var due: Timestamp?
    /// Whether its start was asked for; a VM that is still off later did not start, which is as a crash.
    var isAsked: Bool?

    /// What is to be done about a crash that was noted.
    mutating func decide(_ limits: CrashLimits, now: Timestamp) {
        let oldest = Timestamp(milliseconds: now.milliseconds - Int64(limits.windowSeconds) * 1000)
        times.removeAll { $0 < oldest }
        isAsked = nil
        guard times.count <= limits.restarts else {
            (phase, due) = (.gaveUp, nil)
            return
        }
        let pause = Int64(limits.pause(before: max(times.count, 1)))
        (phase, due) = (.waiting, Timestamp(milliseconds: now.milliseconds + pause * 1000))
    }

    /// The reason that is shown in place of libvirt's.
    func reason(of vm: VM) -> StateReason? {
        switch (phase, vm.state, vm.stateReason) {
        case (.waiting, .stopped, _): .restarting
        case (.gaveUp, .stopped, _): .crashLoop
        case (.restarted, .running, .booted?), (.restarted, .running, .restarted?): .restarted
        default: nil
        }
    }
}

/// Reading what is known of crashes.
enum CrashStore {
    static func find(_ db: Database, _ vm: ObjectID) throws -> CrashRecord? {
        try String.fetchOne(
            db.cachedStatement(sql: "SELECT document FROM crash WHERE vm = ?"), arguments: [vm.rawValue]
        ).map { try JSON.value(CrashRecord.self, $0) }
    }

    static func all(_ db: Database) throws -> [(vm: ObjectID, record: CrashRecord)] {
        try Row.fetchAll(db.cachedStatement(sql: "SELECT vm, document FROM crash ORDER BY vm")).compactMap {
            row in
            guard let id = ObjectID(row["vm"] as String) else { return nil }
            return (id, try JSON.value(CrashRecord.self, row["document"]))
        }
    }
}

extension Transaction {
    func store(_ record: CrashRecord, of vm: ObjectID) throws {
        try execute(
            "INSERT OR REPLACE INTO crash(vm, document) VALUES (?, ?)",
            [vm.rawValue, try JSON.text(record)])
    }

    /// Somebody has decided what becomes of the VM, so its crashes count no more.
    func forgetCrashes(_ vm: ObjectID) throws {
        try execute("DELETE FROM crash WHERE vm = ?", [vm.rawValue])
        try clearWarning(CrashRestart.warning, subject: vm)
    }

    /// Notes that a VM has crashed, goes on, or was stopped by somebody, by what it was until now; and gives
    /// it the reason that only we know.
    func tellOfCrash(_ vm: inout VM) throws {
        let known = try CrashStore.find(db, vm.id)
        guard known != nil || vm.onCrash == .restart else { return }
        let before = try VMStore.value(db, vm.id)?.state ?? vm.state
        var record = known
        if before != vm.state { record = try changed(known, before, vm) }
        if record != known, let record { try store(record, of: vm.id) }
        if record == nil, known != nil { try forgetCrashes(vm.id) }
        if let reason = record?.reason(of: vm) { vm.stateReason = reason }
    }

    private func changed(_ known: CrashRecord?, _ before: VMState, _ vm: VM) throws -> CrashRecord? {
        var record = known
        switch vm.state {
        case .running where known?.phase == .gaveUp: return nil
        case .running where known?.phase == .waiting || known?.phase == .noted:
            record = CrashRecord(phase: .restarted, times: known?.times ?? [])
        case .running, .paused, .unknown: break
        case .stopped where vm.stateReason?.isCrash == true, .crashed:
            guard vm.managed, vm.onCrash == .restart, try !isWantedOff(vm.id) else { return nil }
            record = CrashRecord(phase: .noted, times: (known?.times ?? []) + [.now])
        // Our own restart of one that libvirt kept after its panic: first it is powered off.
        case .stopped where known?.phase == .waiting && known?.isAsked == true: break
        case .stopped, .suspended, .missing: return nil
        }
        return record
    }

    /// Whether an operation is at work that stops it, or takes it away.
    private func isWantedOff(_ vm: ObjectID) throws -> Bool {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT operation.kind AS kind, operation.request AS request
                FROM claim JOIN operation ON operation.id = claim.operation
                WHERE claim.subject = ? AND claim.aspect = 'power' AND claim.mode = 'exclusive'
                """, arguments: [vm.rawValue])
        guard let row else { return false }
        switch row["kind"] as String {
        case VMDeleteOperation.name: return true
        case VMPowerOperation.name:
            return try JSON.value(VMPowerOperation.Request.self, row["request"]).change.stops
        default: return false
        }
    }
}
