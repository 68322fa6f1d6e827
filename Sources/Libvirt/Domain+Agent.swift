// SPDX-License-Identifier: Apache-2.0
import CLibvirt

extension Domain {
    /// Sends a command in the guest agent's JSON, and gives its answer.
    ///
    /// Waits up to `timeoutSeconds`: use a connection on `LibvirtExecutor.long` for more than a few.
    /// - Throws: `LibvirtError`: `agentUnresponsive`, ….
    public func agentCommand(_ json: String, timeoutSeconds: Int32) async throws -> String {
        try await call { try takeString(virDomainQemuAgentCommand($0, json, timeoutSeconds, 0)) }
    }

    /// The guest's clock, in seconds since 1970.
    /// - Throws: `LibvirtError`.
    public func time() async throws -> Int64 {
        try await call { raw in
            var seconds: Int64 = 0
            var nanoseconds: UInt32 = 0
            try check(virDomainGetTime(raw, &seconds, &nanoseconds, 0))
            return seconds
        }
    }

    /// Sets the guest's clock, from its RTC if no time is given.
    /// - Throws: `LibvirtError`.
    public func setTime(seconds: Int64?) async throws {
        let flags = seconds == nil ? VIR_DOMAIN_TIME_SYNC.rawValue : 0
        try await call { _ = try check(virDomainSetTime($0, seconds ?? 0, 0, flags)) }
    }

    /// Freezes the guest's file systems; freezing twice is an error.
    /// - Returns: how many were frozen.
    /// - Throws: `LibvirtError`.
    public func freezeFileSystems() async throws -> Int {
        try await call { try Int(check(virDomainFSFreeze($0, nil, 0, 0))) }
    }

    /// Thaws them.
    /// - Returns: how many were thawed.
    /// - Throws: `LibvirtError`.
    public func thawFileSystems() async throws -> Int {
        try await call { try Int(check(virDomainFSThaw($0, nil, 0, 0))) }
    }

    /// Tells the guest's file systems to give free blocks back.
    /// - Throws: `LibvirtError`.
    public func trimFileSystems(mountpoint: String? = nil, minimumBytes: UInt64 = 0) async throws {
        try await call { _ = try check(virDomainFSTrim($0, mountpoint, minimumBytes, 0)) }
    }
}
