// SPDX-License-Identifier: Apache-2.0

/// The host, the daemon and its libvirt.
public struct Host: Codable, Hashable, Sendable {
    public var hostname: String
    /// This instance's mark.
    public var instance: ObjectID
    /// The daemon's version.
    public var version: String
    public var startedAt: Timestamp
    /// Whether the inventory has been compared with libvirt since the last connection.
    public var synced: Bool
    public var libvirt: LibvirtInfo
    public var accelerator: AcceleratorInfo
    public var cpus: Int?
    public var memoryBytes: Int64?
    public var vms: Int
    public var running: Int

    /// The connection to libvirt.
    public struct LibvirtInfo: Codable, Hashable, Sendable {
        public var uri: String
        public var connected: Bool
        /// `9.0.0`
        public var version: String?
        /// `QEMU 7.2.22`
        public var hypervisor: String?
        /// When the connection was made, or lost.
        public var since: Timestamp?
        /// Why there is none.
        public var error: String?
        public init(uri: String, connected: Bool) {
            self.uri = uri
            self.connected = connected
        }
    }

    /// What new VMs run on.
    public struct AcceleratorInfo: Codable, Hashable, Sendable {
        public var kind: Accelerator
        /// Why it is not KVM.
        public var reason: String?
        public init(kind: Accelerator, reason: String? = nil) {
            self.kind = kind
            self.reason = reason
        }
    }

    public init(
        hostname: String, instance: ObjectID, version: String, startedAt: Timestamp, synced: Bool,
        libvirt: LibvirtInfo, accelerator: AcceleratorInfo, vms: Int, running: Int
    ) {
        self.hostname = hostname
        self.instance = instance
        self.version = version
        self.startedAt = startedAt
        self.synced = synced
        self.libvirt = libvirt
        self.accelerator = accelerator
        self.vms = vms
        self.running = running
    }
}

/// What program answers, and what it speaks.
public struct VersionInfo: Codable, Hashable, Sendable {
    /// The daemon's version.
    public var version: String
    /// `v1`
    public var api: String
    public init(version: String, api: String) {
        self.version = version
        self.api = api
    }
}
