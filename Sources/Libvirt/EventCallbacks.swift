// SPDX-License-Identifier: Apache-2.0
import CLibvirt
import FoundationEssentials

// The functions that libvirt calls, on the event loop's thread. They copy and hand over.

private func deliver(_ opaque: UnsafeMutableRawPointer?, _ domain: OpaquePointer?, _ event: DomainEvent) {
    guard let opaque, let domain else { return }
    let reference = ObjectReference(
        uuid: UUID { virDomainGetUUID(domain, $0) }, name: text(virDomainGetName(domain)))
    Unmanaged<EventSink>.fromOpaque(opaque).takeUnretainedValue().receive(.domain(reference, event))
}

private func deliver(_ opaque: UnsafeMutableRawPointer?, _ pool: OpaquePointer?, _ event: StoragePoolEvent) {
    guard let opaque, let pool else { return }
    let reference = ObjectReference(
        uuid: UUID { virStoragePoolGetUUID(pool, $0) }, name: text(virStoragePoolGetName(pool)))
    Unmanaged<EventSink>.fromOpaque(opaque).takeUnretainedValue().receive(.storagePool(reference, event))
}

private func text(_ pointer: UnsafePointer<CChar>?) -> String {
    pointer.map { String(cString: $0) } ?? ""
}

let onLifecycle: virConnectDomainEventCallback = { _, domain, event, detail, opaque in
    deliver(opaque, domain, .lifecycle(DomainLifecycle(number: event), detail: detail))
    return 0
}

let onNetwork: virConnectNetworkEventLifecycleCallback = { _, network, event, _, opaque in
    guard let opaque, let network else { return }
    let reference = ObjectReference(
        uuid: UUID { virNetworkGetUUID(network, $0) }, name: text(virNetworkGetName(network)))
    let sink = Unmanaged<EventSink>.fromOpaque(opaque).takeUnretainedValue()
    sink.receive(.network(reference, NetworkEvent(rawValue: event) ?? .unknown))
}

let onPool: virConnectStoragePoolEventLifecycleCallback = { _, pool, event, _, opaque in
    deliver(opaque, pool, StoragePoolEvent(rawValue: event) ?? .unknown)
}

let onRefresh: virConnectStoragePoolEventGenericCallback = { _, pool, opaque in
    deliver(opaque, pool, .refreshed)
}

private let onReboot: virConnectDomainEventGenericCallback = { _, domain, opaque in
    deliver(opaque, domain, .reboot)
}

private let onControlError: virConnectDomainEventGenericCallback = { _, domain, opaque in
    deliver(opaque, domain, .controlError)
}

private let onWatchdog: virConnectDomainEventWatchdogCallback = { _, domain, action, opaque in
    deliver(opaque, domain, .watchdog(action: action))
}

private let onIOError: virConnectDomainEventIOErrorReasonCallback = {
    _, domain, path, alias, action, reason, opaque in
    let event = DomainEvent.ioError(
        path: text(path), device: text(alias), action: action, reason: text(reason))
    deliver(opaque, domain, event)
}

private let onBlockJob: virConnectDomainEventBlockJobCallback = { _, domain, disk, type, status, opaque in
    deliver(
        opaque, domain, .blockJob(disk: text(disk), type: type, status: BlockJobStatus(number: status)))
}

private let onTray: virConnectDomainEventTrayChangeCallback = { _, domain, alias, reason, opaque in
    deliver(opaque, domain, .tray(device: text(alias), reason: reason))
}

private let onBalloon: virConnectDomainEventBalloonChangeCallback = { _, domain, actual, opaque in
    deliver(opaque, domain, .balloon(kibibytes: UInt64(actual)))
}

private let onAdded: virConnectDomainEventDeviceAddedCallback = { _, domain, alias, opaque in
    deliver(opaque, domain, .deviceAdded(alias: text(alias)))
}

private let onRemoved: virConnectDomainEventDeviceRemovedCallback = { _, domain, alias, opaque in
    deliver(opaque, domain, .deviceRemoved(alias: text(alias)))
}

private let onRemovalFailed: virConnectDomainEventDeviceRemovalFailedCallback = { _, domain, alias, opaque in
    deliver(opaque, domain, .deviceRemovalFailed(alias: text(alias)))
}

private let onAgent: virConnectDomainEventAgentLifecycleCallback = { _, domain, state, reason, opaque in
    let connected =
        UInt32(bitPattern: state) == VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED.rawValue
    deliver(opaque, domain, .agent(connected: connected, reason: reason))
}

private let onMetadata: virConnectDomainEventMetadataChangeCallback = { _, domain, type, uri, opaque in
    deliver(opaque, domain, .metadata(type: type, uri: uri.map { String(cString: $0) }))
}

private let onJob: virConnectDomainEventJobCompletedCallback = { _, domain, parameters, count, opaque in
    deliver(opaque, domain, .jobCompleted(TypedParameters(copying: parameters, count: Int(count))))
}

private let onThreshold: virConnectDomainEventBlockThresholdCallback = {
    _, domain, disk, path, threshold, excess, opaque in
    let event = DomainEvent.blockThreshold(
        disk: text(disk), path: path.map { String(cString: $0) }, threshold: UInt64(threshold),
        excess: UInt64(excess))
    deliver(opaque, domain, event)
}

typealias DomainRegistration =
    @Sendable (OpaquePointer, UnsafeMutableRawPointer, virFreeCallback) -> Int32

let optionalDomainRegistrations: [DomainRegistration] = [
    { clibvirt_on_domain_reboot($0, onReboot, $1, $2) },
    { clibvirt_on_domain_control_error($0, onControlError, $1, $2) },
    { clibvirt_on_domain_watchdog($0, onWatchdog, $1, $2) },
    { clibvirt_on_domain_io_error($0, onIOError, $1, $2) },
    { clibvirt_on_domain_block_job($0, onBlockJob, $1, $2) },
    { clibvirt_on_domain_tray($0, onTray, $1, $2) },
    { clibvirt_on_domain_balloon($0, onBalloon, $1, $2) },
    { clibvirt_on_domain_device_added($0, onAdded, $1, $2) },
    { clibvirt_on_domain_device_removed($0, onRemoved, $1, $2) },
    { clibvirt_on_domain_device_removal_failed($0, onRemovalFailed, $1, $2) },
    { clibvirt_on_domain_agent($0, onAgent, $1, $2) },
    { clibvirt_on_domain_metadata($0, onMetadata, $1, $2) },
    { clibvirt_on_domain_job_completed($0, onJob, $1, $2) },
    { clibvirt_on_domain_block_threshold($0, onThreshold, $1, $2) },
]
