// SPDX-License-Identifier: Apache-2.0

/// Why a VM is in its state. The words are stable; new ones may be added.
public enum StateReason: String, APIEnum {
    /// libvirt does not say, as of what has not run since libvirt was started.
    case unknown

    // Running.
    case booted, migrated, restored, fromSnapshot, unpaused, migrationCanceled, saveCanceled, wakeup, crashed
    case postcopy, postcopyFailed, shuttingDown, blocked

    // Paused.
    case user, migration, save, dump, ioError, watchdog, snapshot, startingUp, apiError, asleep

    // Stopped, suspended.
    case shutdown, destroyed, saved, failed, daemon

    // Crashed, missing.
    case panicked, undefined

    // What only vctl knows.
    case creating, rescue, restarted, restarting, crashLoop

    /// What it means, and in which states it is given; the whole table that is published.
    public var meaning: String {
        switch self {
        case .unknown: "any state: libvirt does not say"
        case .booted: "running: it was started"
        case .migrated: "running: it came from another host; stopped: it went to one"
        case .restored: "running: its saved memory was loaded"
        case .fromSnapshot: "running, paused, stopped: a snapshot was reverted to"
        case .unpaused: "running: it was paused before"
        case .migrationCanceled: "running: its migration was given up"
        case .saveCanceled: "running: the saving of its memory was given up"
        case .wakeup: "running: it slept before"
        case .crashed:
            "stopped: QEMU ended unasked, or the guest panicked; paused, running: the guest panicked"
        case .postcopy: "running, paused: its memory is still coming over from another host"
        case .postcopyFailed: "running, paused: its memory cannot come over any more"
        case .shuttingDown: "running, paused: it was asked to shut down and has not yet"
        case .blocked: "running: it waits for a resource of the host"
        case .user: "paused: somebody asked for it"
        case .migration: "paused: while it goes to another host"
        case .save: "paused: while its memory is saved"
        case .dump: "paused: while its memory is dumped"
        case .ioError: "paused: a disk cannot be read or written, for lack of room perhaps"
        case .watchdog: "paused: its watchdog was not fed"
        case .snapshot: "paused: while a snapshot is taken"
        case .startingUp: "stopped: it is being started, and no instruction has run yet"
        case .apiError: "paused: libvirt failed at something that it does while a guest is halted"
        case .asleep: "paused: the guest put itself to sleep"
        case .shutdown: "stopped: the guest shut down"
        case .destroyed: "stopped: it was powered off"
        case .saved: "suspended: its memory is on the disk; stopped: its memory is in a file elsewhere"
        case .failed: "stopped: it could not be started"
        case .daemon: "stopped: libvirt lost it"
        case .panicked: "crashed: the guest panicked, and is kept as it was"
        case .undefined: "missing: somebody took its definition away"
        case .creating: "stopped: it is being made"
        case .rescue: "running: it was booted from an ISO or image for this once"
        case .restarted: "running: vctld has started it again after a crash"
        case .restarting: "stopped: it crashed, and vctld will start it again after a pause"
        case .crashLoop: "stopped: it crashed too often, and vctld does not start it again"
        }
    }

    /// Whether a VM that is off for this reason has crashed.
    public var isCrash: Bool {
        switch self {
        case .crashed, .restarting, .crashLoop: true
        default: false
        }
    }

    public static var schema: Schema {
        var schema = Schema(type: "string", values: allCases.map(\.rawValue))
        schema.summary = allCases.map { "\($0.rawValue): \($0.meaning)" }.joined(separator: "; ")
        return schema
    }
}
