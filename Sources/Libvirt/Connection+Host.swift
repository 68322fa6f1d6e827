// SPDX-License-Identifier: Apache-2.0
import CLibvirt

/// What a host is made of.
public struct NodeInfo: Sendable, Hashable {
    /// The kind of CPU, for example `x86_64`.
    public let model: String
    /// Memory in KiB.
    public let memoryKibibytes: UInt64
    /// Active CPUs.
    public let cpus: Int
    /// Their frequency in MHz; 0 if unknown.
    public let megahertz: Int
    /// NUMA nodes.
    public let nodes: Int
    /// Sockets per node.
    public let sockets: Int
    /// Cores per socket.
    public let cores: Int
    /// Threads per core.
    public let threads: Int
}

/// A version as libvirt counts it: major × 1,000,000 + minor × 1,000 + release.
public struct LibvirtVersion: RawRepresentable, Sendable, Hashable, Comparable, CustomStringConvertible {
    /// libvirt's number.
    public let rawValue: UInt

    /// A version from libvirt's number.
    public init(rawValue: UInt) {
        self.rawValue = rawValue
    }

    /// A version from its parts.
    public init(_ major: UInt, _ minor: UInt, _ release: UInt = 0) {
        rawValue = major * 1_000_000 + minor * 1_000 + release
    }

    /// The first part.
    public var major: UInt { rawValue / 1_000_000 }
    /// The second part.
    public var minor: UInt { rawValue / 1_000 % 1_000 }
    /// The third part.
    public var release: UInt { rawValue % 1_000 }
    /// For people: `9.0.0`.
    public var description: String { "\(major).\(minor).\(release)" }

    /// Older is less.
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

extension Connection {
    /// Whether the conversation still stands, by libvirt's knowledge.
    /// - Throws: `LibvirtError`.
    public func isAlive() async throws -> Bool {
        try await call { try checkFlag(virConnectIsAlive($0)) }
    }

    /// The version of the daemon.
    /// - Throws: `LibvirtError`.
    public func libraryVersion() async throws -> LibvirtVersion {
        try await call { raw in
            var version: UInt = 0
            try check(virConnectGetLibVersion(raw, &version))
            return LibvirtVersion(rawValue: version)
        }
    }

    /// The version of the libvirt this process is linked with.
    public static var clientVersion: LibvirtVersion {
        EventLoop.start()
        var version: UInt = 0
        virGetVersion(&version, nil, nil)
        return LibvirtVersion(rawValue: version)
    }

    /// The version of the hypervisor, for example QEMU's.
    /// - Throws: `LibvirtError`.
    public func hypervisorVersion() async throws -> LibvirtVersion {
        try await call { raw in
            var version: UInt = 0
            try check(virConnectGetVersion(raw, &version))
            return LibvirtVersion(rawValue: version)
        }
    }

    /// The name of the driver, for example `QEMU` or `Test`.
    /// - Throws: `LibvirtError`.
    public func hypervisorType() async throws -> String {
        try await call { raw in
            // This string is libvirt's own, unlike the others.
            guard let name = virConnectGetType(raw) else { throw LibvirtError.last() }
            return String(cString: name)
        }
    }

    /// The host's name.
    /// - Throws: `LibvirtError`.
    public func hostname() async throws -> String {
        try await call { try takeString(virConnectGetHostname($0)) }
    }

    /// The URI as the driver sees it.
    /// - Throws: `LibvirtError`.
    public func canonicalURI() async throws -> String {
        try await call { try takeString(virConnectGetURI($0)) }
    }

    /// What the host can do, as XML.
    /// - Throws: `LibvirtError`.
    public func capabilities() async throws -> String {
        try await call { try takeString(virConnectGetCapabilities($0)) }
    }

    /// What guests of a kind can have, as XML. Nil leaves the choice to libvirt.
    /// - Throws: `LibvirtError`.
    public func domainCapabilities(
        emulator: String? = nil, architecture: String? = nil, machine: String? = nil, type: String? = nil
    ) async throws -> String {
        try await call {
            try takeString(virConnectGetDomainCapabilities($0, emulator, architecture, machine, type, 0))
        }
    }

    /// What pools of each kind can have, as XML.
    /// - Throws: `LibvirtError`.
    public func storagePoolCapabilities() async throws -> String {
        try await call { try takeString(virConnectGetStoragePoolCapabilities($0, 0)) }
    }

    /// The host's system information (SMBIOS) as XML.
    /// - Throws: `LibvirtError`.
    public func systemInformation() async throws -> String {
        try await call { try takeString(virConnectGetSysinfo($0, 0)) }
    }

    /// CPUs and memory of the host.
    /// - Throws: `LibvirtError`.
    public func nodeInfo() async throws -> NodeInfo {
        try await call { raw in
            var info = virNodeInfo()
            try check(virNodeGetInfo(raw, &info))
            return NodeInfo(info)
        }
    }

    /// The host's free memory in bytes.
    /// - Throws: `LibvirtError`.
    public func freeMemory() async throws -> UInt64 {
        try await call { raw in
            let bytes = virNodeGetFreeMemory(raw)
            guard bytes > 0 else { throw LibvirtError.last() }
            return bytes
        }
    }

    /// Memory counters in KiB (`total`, `free`, `buffers`, `cached`), of one NUMA node or of all (-1).
    /// - Throws: `LibvirtError`.
    public func memoryStatistics(cell: Int32 = -1) async throws -> [String: UInt64] {
        try await call { raw in
            var count: Int32 = 0
            try check(virNodeGetMemoryStats(raw, cell, nil, &count, 0))
            var values = [virNodeMemoryStats](repeating: virNodeMemoryStats(), count: Int(count))
            try check(virNodeGetMemoryStats(raw, cell, &values, &count, 0))
            return Dictionary(
                values.prefix(Int(count)).map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first }
            )
        }
    }

    /// CPU times in nanoseconds (`kernel`, `user`, `idle`, `iowait`), of one CPU or of all (-1).
    /// - Throws: `LibvirtError`.
    public func cpuStatistics(cpu: Int32 = -1) async throws -> [String: UInt64] {
        try await call { raw in
            var count: Int32 = 0
            try check(virNodeGetCPUStats(raw, cpu, nil, &count, 0))
            var values = [virNodeCPUStats](repeating: virNodeCPUStats(), count: Int(count))
            try check(virNodeGetCPUStats(raw, cpu, &values, &count, 0))
            return Dictionary(
                values.prefix(Int(count)).map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first }
            )
        }
    }
}

extension NodeInfo {
    init(_ info: virNodeInfo) {
        model = textOf(info.model)
        memoryKibibytes = UInt64(info.memory)
        cpus = Int(info.cpus)
        megahertz = Int(info.mhz)
        nodes = Int(info.nodes)
        sockets = Int(info.sockets)
        cores = Int(info.cores)
        threads = Int(info.threads)
    }
}

extension virNodeMemoryStats {
    fileprivate var name: String { textOf(field) }
}

extension virNodeCPUStats {
    fileprivate var name: String { textOf(field) }
}

/// The text in one of C's fixed-size character arrays.
func textOf<T>(_ array: T) -> String {
    withUnsafeBytes(of: array) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
