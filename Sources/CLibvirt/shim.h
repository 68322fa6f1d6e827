/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLIBVIRT_SHIM_H
#define CLIBVIRT_SHIM_H
#include <stddef.h>
#include <libvirt/libvirt.h>
/* The guest agent's own commands are in QEMU's extra library, libvirt-qemu. */
#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>

/*
 * libvirt takes every event callback as one generic function type, and asks for a cast
 * (VIR_DOMAIN_EVENT_CALLBACK and its sisters) that is a C macro: Swift sees no function-like
 * macros. Each registration below therefore takes the callback with its real type, so that the
 * compiler checks the Swift closure, and does the cast here.
 */
#define CLIBVIRT_DOMAIN_EVENT(name, event_id, callback_type)                                          \
    static inline int clibvirt_on_domain_##name(virConnectPtr connection, callback_type callback,     \
                                                void *opaque, virFreeCallback release)                \
    {                                                                                                 \
        return virConnectDomainEventRegisterAny(connection, NULL, event_id,                           \
                                                VIR_DOMAIN_EVENT_CALLBACK(callback), opaque, release); \
    }

CLIBVIRT_DOMAIN_EVENT(lifecycle, VIR_DOMAIN_EVENT_ID_LIFECYCLE, virConnectDomainEventCallback)
CLIBVIRT_DOMAIN_EVENT(reboot, VIR_DOMAIN_EVENT_ID_REBOOT, virConnectDomainEventGenericCallback)
CLIBVIRT_DOMAIN_EVENT(control_error, VIR_DOMAIN_EVENT_ID_CONTROL_ERROR, virConnectDomainEventGenericCallback)
CLIBVIRT_DOMAIN_EVENT(watchdog, VIR_DOMAIN_EVENT_ID_WATCHDOG, virConnectDomainEventWatchdogCallback)
CLIBVIRT_DOMAIN_EVENT(io_error, VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON,
                      virConnectDomainEventIOErrorReasonCallback)
/* The "2" kind names the disk by its target, which stays the same when the file below it changes. */
CLIBVIRT_DOMAIN_EVENT(block_job, VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2, virConnectDomainEventBlockJobCallback)
CLIBVIRT_DOMAIN_EVENT(tray, VIR_DOMAIN_EVENT_ID_TRAY_CHANGE, virConnectDomainEventTrayChangeCallback)
CLIBVIRT_DOMAIN_EVENT(balloon, VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE,
                      virConnectDomainEventBalloonChangeCallback)
CLIBVIRT_DOMAIN_EVENT(device_added, VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
                      virConnectDomainEventDeviceAddedCallback)
CLIBVIRT_DOMAIN_EVENT(device_removed, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
                      virConnectDomainEventDeviceRemovedCallback)
CLIBVIRT_DOMAIN_EVENT(device_removal_failed, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED,
                      virConnectDomainEventDeviceRemovalFailedCallback)
CLIBVIRT_DOMAIN_EVENT(agent, VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
                      virConnectDomainEventAgentLifecycleCallback)
CLIBVIRT_DOMAIN_EVENT(metadata, VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
                      virConnectDomainEventMetadataChangeCallback)
CLIBVIRT_DOMAIN_EVENT(job_completed, VIR_DOMAIN_EVENT_ID_JOB_COMPLETED,
                      virConnectDomainEventJobCompletedCallback)
CLIBVIRT_DOMAIN_EVENT(block_threshold, VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD,
                      virConnectDomainEventBlockThresholdCallback)
#undef CLIBVIRT_DOMAIN_EVENT

/* The same cast for networks. */
static inline int clibvirt_on_network_lifecycle(virConnectPtr connection,
                                                virConnectNetworkEventLifecycleCallback callback,
                                                void *opaque, virFreeCallback release)
{
    return virConnectNetworkEventRegisterAny(connection, NULL, VIR_NETWORK_EVENT_ID_LIFECYCLE,
                                             VIR_NETWORK_EVENT_CALLBACK(callback), opaque, release);
}

/* The same cast for storage pools. */
static inline int clibvirt_on_pool_lifecycle(virConnectPtr connection,
                                             virConnectStoragePoolEventLifecycleCallback callback,
                                             void *opaque, virFreeCallback release)
{
    return virConnectStoragePoolEventRegisterAny(connection, NULL, VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE,
                                                 VIR_STORAGE_POOL_EVENT_CALLBACK(callback), opaque,
                                                 release);
}

/* The same cast for the refresh of a storage pool. */
static inline int clibvirt_on_pool_refresh(virConnectPtr connection,
                                           virConnectStoragePoolEventGenericCallback callback,
                                           void *opaque, virFreeCallback release)
{
    return virConnectStoragePoolEventRegisterAny(connection, NULL, VIR_STORAGE_POOL_EVENT_ID_REFRESH,
                                                 VIR_STORAGE_POOL_EVENT_CALLBACK(callback), opaque,
                                                 release);
}
#endif
