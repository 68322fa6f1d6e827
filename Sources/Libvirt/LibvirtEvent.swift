// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// Which object an event is about.
public struct ObjectReference: Sendable, Hashable {
    /// Its UUID.
    public let uuid: UUID
    /// Its name at that time.
    public let name: String

    /// A reference to an object.
    public init(uuid: UUID, name: String) {
        self.uuid = uuid
        self.name = name
    }
}

/// Something that happened in libvirt, or to the stream of events itself.
///
/// An event is a hint to read the object's state again: it may be old when it is read.
public enum LibvirtEvent: Sendable, Hashable {
    /// Something happened to a domain.
    case domain(ObjectReference, DomainEvent)
    /// Something happened to a network.
    case network(ObjectReference, NetworkEvent)
    /// Something happened to a storage pool.
    case storagePool(ObjectReference, StoragePoolEvent)
    /// The reader was too slow and events were thrown away: read everything again.
    case overflow
    /// A connection stands, the first or a new one: read everything again.
    case reconnected(generation: UInt64)
    /// The connection was lost; there are no events until it is back.
    case disconnected(LibvirtError)
}

/// What happened to a domain.
public enum DomainEvent: Sendable, Hashable {
    /// It changed its life; the number of `detail` says how, depending on the change.
    case lifecycle(DomainLifecycle, detail: Int32)
    /// The guest restarted.
    case reboot
    /// libvirt lost hold of the hypervisor's control channel.
    case controlError
    /// The guest's watchdog fired; libvirt's number of what was done.
    case watchdog(action: Int32)
    /// A disk had an I/O error; libvirt's number of what was done, and a reason such as `enospc`.
    case ioError(path: String, device: String, action: Int32, reason: String)
    /// A block job changed, on the disk with a target; libvirt's numbers.
    case blockJob(disk: String, type: Int32, status: BlockJobStatus)
    /// A tray was opened (0) or closed (1).
    case tray(device: String, reason: Int32)
    /// The guest's memory changed, in KiB.
    case balloon(kibibytes: UInt64)
    /// A device was added.
    case deviceAdded(alias: String)
    /// A device is gone.
    case deviceRemoved(alias: String)
    /// The guest refused to let a device go.
    case deviceRemovalFailed(alias: String)
    /// The guest agent connected or disconnected; libvirt's number of the reason.
    case agent(connected: Bool, reason: Int32)
    /// Its metadata changed: description 0, title 1, element 2 with its namespace.
    case metadata(type: Int32, uri: String?)
    /// A long job (backup, save) ended, with its counters.
    case jobCompleted(TypedParameters)
    /// A disk's image grew beyond the size that was set.
    case blockThreshold(disk: String, path: String?, threshold: UInt64, excess: UInt64)
}

/// How a domain's life changed.
public enum DomainLifecycle: Int32, Sendable, Hashable {
    /// Its definition was saved (detail: 0 added, 1 updated, 2 renamed, 3 from a snapshot).
    case defined = 0
    /// Its definition was removed (detail: 0 removed, 1 renamed).
    case undefined = 1
    /// It started (detail: 0 booted, 1 migrated, 2 restored, 3 from a snapshot, 4 woken).
    case started = 2
    /// Its CPUs were stopped (detail: 0 by a person, 2 by an I/O error, …).
    case suspended = 3
    /// Its CPUs go on.
    case resumed = 4
    /// It ended (detail: 0 shut down, 1 destroyed, 2 crashed, 3 migrated, 4 saved, 5 failed).
    case stopped = 5
    /// The guest shut down (detail: 1 by itself, 2 by the host).
    case shutdown = 6
    /// The guest put itself to sleep.
    case pmSuspended = 7
    /// The guest crashed.
    case crashed = 8
    /// Something newer than this list.
    case unknown = -1

    init(number: Int32) {
        self = DomainLifecycle(rawValue: number) ?? .unknown
    }
}

/// What became of a block job.
public enum BlockJobStatus: Int32, Sendable, Hashable {
    /// It ended well.
    case completed = 0
    /// It failed.
    case failed = 1
    /// It was cancelled.
    case cancelled = 2
    /// It is in step, and waits to be pivoted or ended.
    case ready = 3
    /// Something newer than this list.
    case unknown = -1

    init(number: Int32) {
        self = BlockJobStatus(rawValue: number) ?? .unknown
    }
}

/// What happened to a network.
public enum NetworkEvent: Int32, Sendable, Hashable {
    /// Its definition was saved.
    case defined = 0
    /// Its definition was removed.
    case undefined = 1
    /// It started.
    case started = 2
    /// It stopped.
    case stopped = 3
    /// Something newer than this list.
    case unknown = -1
}

/// What happened to a storage pool.
public enum StoragePoolEvent: Int32, Sendable, Hashable {
    /// Its definition was saved.
    case defined = 0
    /// Its definition was removed.
    case undefined = 1
    /// It started.
    case started = 2
    /// It stopped.
    case stopped = 3
    /// Its storage was made.
    case created = 4
    /// Its storage was deleted.
    case deleted = 5
    /// Its contents were looked at again.
    case refreshed = 100
    /// Something newer than this list.
    case unknown = -1
}
