// SPDX-License-Identifier: Apache-2.0
import CLibvirt

/// What a domain is doing.
public enum DomainState: Int32, Sendable, Hashable, CaseIterable {
    /// Nothing that libvirt has a word for.
    case none = 0
    /// It runs.
    case running = 1
    /// It waits for a resource (Xen).
    case blocked = 2
    /// Its CPUs are stopped.
    case paused = 3
    /// It was asked to stop and has not yet.
    case shuttingDown = 4
    /// It is off.
    case shutoff = 5
    /// It crashed.
    case crashed = 6
    /// The guest put itself to sleep.
    case pmSuspended = 7

    /// The state behind libvirt's number; `none` for numbers newer than this list.
    public init(number: Int32) {
        self = DomainState(rawValue: number) ?? .none
    }
}

/// A state, and why it is so.
public struct DomainStatus: Sendable, Hashable {
    /// The state.
    public let state: DomainState
    /// libvirt's number of the reason; what it means depends on the state.
    public let reason: Int32

    /// A state with its reason.
    public init(state: DomainState, reason: Int32) {
        self.state = state
        self.reason = reason
    }

    /// The reason as one word, `unknown` where libvirt has none.
    public var reasonName: String {
        let names = Self.reasons[state] ?? []
        return names.indices.contains(Int(reason)) ? names[Int(reason)] : "unknown"
    }

    /// Whether libvirt is still on its way to a running guest: QEMU is there, and its CPUs were never let go.
    public var isStartingUp: Bool { state == .paused && reasonName == "starting-up" }

    /// The reasons of each state, in the order of libvirt's numbers.
    private static let reasons: [DomainState: [String]] = [
        .running: [
            "unknown", "booted", "migrated", "restored", "from-snapshot", "unpaused", "migration-canceled",
            "save-canceled", "wakeup", "crashed", "postcopy", "postcopy-failed",
        ],
        .paused: [
            "unknown", "user", "migration", "save", "dump", "io-error", "watchdog", "from-snapshot",
            "shutting-down", "snapshot", "crashed", "starting-up", "postcopy", "postcopy-failed", "api-error",
        ],
        .shuttingDown: ["unknown", "user"],
        .shutoff: [
            "unknown", "shutdown", "destroyed", "crashed", "migrated", "saved", "failed", "from-snapshot",
            "daemon",
        ],
        .crashed: ["unknown", "panicked"],
    ]
}

/// A domain's resources, in one cheap call.
public struct DomainInfo: Sendable, Hashable {
    /// What it is doing.
    public let state: DomainState
    /// The most memory it may have, in KiB.
    public let maximumKibibytes: UInt64
    /// The memory it has, in KiB.
    public let kibibytes: UInt64
    /// Its vCPUs.
    public let vCPUs: Int
    /// CPU time used, in nanoseconds.
    public let cpuNanoseconds: UInt64
}

extension Domain {
    /// What it is doing and why.
    /// - Throws: `LibvirtError`.
    public func status() async throws -> DomainStatus {
        try await call { try Self.readStatus($0) }
    }

    static func readStatus(_ raw: OpaquePointer) throws -> DomainStatus {
        var state: Int32 = 0
        var reason: Int32 = 0
        try check(virDomainGetState(raw, &state, &reason, 0))
        return DomainStatus(state: DomainState(number: state), reason: reason)
    }

    /// Its state and resources.
    /// - Throws: `LibvirtError`.
    public func info() async throws -> DomainInfo {
        try await call { raw in
            var info = virDomainInfo()
            try check(virDomainGetInfo(raw, &info))
            return DomainInfo(
                state: DomainState(number: Int32(info.state)), maximumKibibytes: UInt64(info.maxMem),
                kibibytes: UInt64(info.memory), vCPUs: Int(info.nrVirtCpu), cpuNanoseconds: info.cpuTime)
        }
    }

    /// Whether it runs or is paused.
    /// - Throws: `LibvirtError`.
    public func isActive() async throws -> Bool {
        try await call { try checkFlag(virDomainIsActive($0)) }
    }

    /// Whether it has a saved definition.
    /// - Throws: `LibvirtError`.
    public func isPersistent() async throws -> Bool {
        try await call { try checkFlag(virDomainIsPersistent($0)) }
    }

    /// Whether the saved definition differs from what runs.
    /// - Throws: `LibvirtError`.
    public func isUpdated() async throws -> Bool {
        try await call { try checkFlag(virDomainIsUpdated($0)) }
    }
}
