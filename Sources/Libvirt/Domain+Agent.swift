// SPDX-License-Identifier: Apache-2.0
import CLibvirt
import Glibc

/// A file system that the guest agent knows.
public struct GuestFileSystem: Sendable, Hashable {
    /// Where it is mounted.
    public let mountpoint: String
    /// The guest's name of its device.
    public let name: String
    /// Its kind, for example `ext4`.
    public let type: String
    /// The targets of the disks it is on (`vda`).
    public let disks: [String]
}

extension Domain {
    /// Which parts of the guest's knowledge are asked for; an empty set is all there is.
    public struct GuestInfoTypes: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Users that are logged in.
        public static let users = Self(VIR_DOMAIN_GUEST_INFO_USERS)
        /// The operating system.
        public static let os = Self(VIR_DOMAIN_GUEST_INFO_OS)
        /// The time zone.
        public static let timezone = Self(VIR_DOMAIN_GUEST_INFO_TIMEZONE)
        /// The host name.
        public static let hostname = Self(VIR_DOMAIN_GUEST_INFO_HOSTNAME)
        /// The file systems.
        public static let fileSystems = Self(VIR_DOMAIN_GUEST_INFO_FILESYSTEM)
        /// The disks.
        public static let disks = Self(VIR_DOMAIN_GUEST_INFO_DISKS)
        /// The interfaces.
        public static let interfaces = Self(VIR_DOMAIN_GUEST_INFO_INTERFACES)
    }

    /// Sends a command in the guest agent's JSON, and gives its answer.
    ///
    /// Waits up to `timeoutSeconds`: use a connection on `LibvirtExecutor.long` for more than a few.
    /// - Throws: `LibvirtError`: `agentUnresponsive`, ….
    public func agentCommand(_ json: String, timeoutSeconds: Int32) async throws -> String {
        try await call { try takeString(virDomainQemuAgentCommand($0, json, timeoutSeconds, 0)) }
    }

    /// Sets how long libvirt itself waits for the agent in all other calls, in seconds.
    /// - Throws: `LibvirtError`.
    public func setAgentResponseTimeout(seconds: Int32) async throws {
        try await call { _ = try check(virDomainAgentSetResponseTimeout($0, seconds, 0)) }
    }

    /// What the guest says about itself, under libvirt's names (`os.id`, `fs.0.mountpoint`, …).
    /// - Throws: `LibvirtError`.
    public func guestInfo(_ types: GuestInfoTypes = []) async throws -> TypedParameters {
        try await call { raw in
            var parameters: UnsafeMutablePointer<virTypedParameter>?
            var count: Int32 = 0
            try check(virDomainGetGuestInfo(raw, types.rawValue, &parameters, &count, 0))
            return TypedParameters(taking: parameters, count: count)
        }
    }

    /// The host name that the guest gave itself.
    /// - Throws: `LibvirtError`.
    public func guestHostname() async throws -> String {
        let source = VIR_DOMAIN_GET_HOSTNAME_AGENT.rawValue
        return try await call { try takeString(virDomainGetHostname($0, source)) }
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

    /// The guest's file systems, and which disks they are on.
    /// - Throws: `LibvirtError`.
    public func fileSystems() async throws -> [GuestFileSystem] {
        try await call { raw in
            var list: UnsafeMutablePointer<virDomainFSInfoPtr?>?
            let count = try Int(check(virDomainGetFSInfo(raw, &list, 0)))
            defer { free(list) }
            return (0..<count).compactMap { index in
                guard let item = list?[index] else { return nil }
                defer { virDomainFSInfoFree(item) }
                return GuestFileSystem(item.pointee)
            }
        }
    }

    /// Sets the password of a user in the guest.
    /// - Throws: `LibvirtError`.
    public func setPassword(user: String, password: String, encrypted: Bool = false) async throws {
        let flags = encrypted ? VIR_DOMAIN_PASSWORD_ENCRYPTED.rawValue : 0
        try await call { _ = try check(virDomainSetUserPassword($0, user, password, flags)) }
    }
}

extension GuestFileSystem {
    init(_ raw: virDomainFSInfo) {
        mountpoint = raw.mountpoint.map { String(cString: $0) } ?? ""
        name = raw.name.map { String(cString: $0) } ?? ""
        type = raw.fstype.map { String(cString: $0) } ?? ""
        disks = (0..<raw.ndevAlias).compactMap { index in raw.devAlias?[index].map { String(cString: $0) } }
    }
}
