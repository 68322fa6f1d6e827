// SPDX-License-Identifier: Apache-2.0

/// What all running VMs have used up to one moment. A rate is the difference of two readings.
public struct Statistics: Codable, Hashable, Sendable {
    /// When it was read.
    public var takenAt: Timestamp
    /// The same moment on a clock that is never set: nanoseconds since some time in the past.
    public var monotonicNanoseconds: Int64
    /// The host's CPUs.
    public var hostCpus: Int
    /// The running and paused VMs, by name.
    public var vms: [VMStatistics]
    public init(takenAt: Timestamp, monotonicNanoseconds: Int64, hostCpus: Int, vms: [VMStatistics]) {
        self.takenAt = takenAt
        self.monotonicNanoseconds = monotonicNanoseconds
        self.hostCpus = hostCpus
        self.vms = vms
    }
}

/// The counters of one VM since its start. One that libvirt does not tell, or not now, is absent.
public struct VMStatistics: Codable, Hashable, Sendable {
    /// libvirt's UUID.
    public var id: ObjectID
    public var name: String
    /// Virtual CPUs now.
    public var cpus: Int?
    /// CPU time of all its CPUs and of its hypervisor process.
    public var cpuNanoseconds: Int64?
    /// Memory that the guest has, in bytes.
    public var memoryBytes: Int64?
    /// Memory that the guest's kernel and programs use, in bytes; only guests with a balloon driver tell.
    public var memoryUsedBytes: Int64?
    /// Memory of the host that it takes, in bytes.
    public var memoryHostBytes: Int64?
    public var diskReadBytes: Int64?
    public var diskWrittenBytes: Int64?
    public var diskReads: Int64?
    public var diskWrites: Int64?
    public var networkReceivedBytes: Int64?
    public var networkSentBytes: Int64?
    public init(id: ObjectID, name: String) {
        self.id = id
        self.name = name
    }
}
