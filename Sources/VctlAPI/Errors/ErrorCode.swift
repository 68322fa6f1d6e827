// SPDX-License-Identifier: Apache-2.0

/// The stable code of an error, with the HTTP status and the exit code that follow from it. The one table.
public enum ErrorCode: String, APIEnum, CaseIterable {
    case requestInvalid = "request.invalid"
    case requestUnknownField = "request.unknownField"
    case requestMalformed = "request.malformed"
    case requestTooLarge = "request.tooLarge"
    case requestMediaType = "request.mediaType"
    case requestMethod = "request.method"
    case requestPath = "request.path"
    case requestTimeout = "request.timeout"
    case requestRange = "request.range"
    case idempotencyMismatch = "idempotency.mismatch"
    case revisionStale = "revision.stale"
    case permissionDenied = "permission.denied"
    case vmNotFound = "vm.notFound"
    case vmExists = "vm.exists"
    case vmBusy = "vm.busy"
    case vmProtected = "vm.protected"
    case vmForeign = "vm.foreign"
    case vmTransient = "vm.transient"
    case vmDeviceBusy = "vm.deviceBusy"
    case diskNotFound = "disk.notFound"
    case nicNotFound = "nic.notFound"
    case vmState = "vm.state"
    case vmMissing = "vm.missing"
    case vmNoConsole = "vm.noConsole"
    case vmNoScreen = "vm.noScreen"
    case consoleBusy = "console.busy"
    case consoleTaken = "console.taken"
    case consoleOverrun = "console.overrun"
    case vmStopTimeout = "vm.stopTimeout"
    case imageNotFound = "image.notFound"
    case imageExists = "image.exists"
    case imageBusy = "image.busy"
    case imageInUse = "image.inUse"
    case imageState = "image.state"
    case imageProtected = "image.protected"
    case imageChecksum = "image.checksum"
    case imageFormat = "image.format"
    case imageBackingFile = "image.backingFile"
    case imageCorrupt = "image.corrupt"
    case imageChanged = "image.changed"
    case imageDownload = "image.download"
    case profileNotFound = "profile.notFound"
    case profileExists = "profile.exists"
    case securityGroupNotFound = "securityGroup.notFound"
    case securityGroupExists = "securityGroup.exists"
    case securityGroupInUse = "securityGroup.inUse"
    case agentUnresponsive = "agent.unresponsive"
    case agentMissing = "agent.missing"
    case agentFailed = "agent.failed"
    case tapNotFound = "tap.notFound"
    case tapForeign = "tap.foreign"
    case tapInUse = "tap.inUse"
    case linkExists = "link.exists"
    case linkFailed = "link.failed"
    case linkNotFound = "link.notFound"
    case linkInUse = "link.inUse"
    case bridgeNotFound = "bridge.notFound"
    case bridgeForeign = "bridge.foreign"
    case bridgeInUse = "bridge.inUse"
    case bridgeState = "bridge.state"
    case linkManaged = "link.managed"
    case networkNotFound = "network.notFound"
    case networkExists = "network.exists"
    case networkBusy = "network.busy"
    case networkInUse = "network.inUse"
    case networkForeign = "network.foreign"
    case networkProtected = "network.protected"
    case networkTransient = "network.transient"
    case networkOverlap = "network.overlap"
    case networkRestart = "network.restart"
    case networkReserved = "network.reserved"
    case networkNoService = "network.noService"
    case networkNoCheck = "network.noCheck"
    case reservationNotFound = "reservation.notFound"
    case recordNotFound = "record.notFound"
    case forwardNotFound = "forward.notFound"
    case forwardTaken = "forward.taken"
    case hostNetworkFailed = "hostNetwork.failed"
    case poolNotFound = "pool.notFound"
    case poolExists = "pool.exists"
    case poolBusy = "pool.busy"
    case poolInUse = "pool.inUse"
    case poolState = "pool.state"
    case poolForeign = "pool.foreign"
    case poolProtected = "pool.protected"
    case poolTransient = "pool.transient"
    case poolOverlap = "pool.overlap"
    case volumeNotFound = "volume.notFound"
    case volumeExists = "volume.exists"
    case volumeBusy = "volume.busy"
    case volumeForeign = "volume.foreign"
    case volumeState = "volume.state"
    case volumeShrink = "volume.shrink"
    case volumeInUse = "volume.inUse"
    case storageFull = "storage.full"
    case storageFailed = "storage.failed"
    case pathForbidden = "path.forbidden"
    case pathNotFound = "path.notFound"
    case operationNotFound = "operation.notFound"
    case operationState = "operation.state"
    case operationCancelled = "operation.cancelled"
    case operationInterrupted = "operation.interrupted"
    case warningNotFound = "warning.notFound"
    case libvirtUnavailable = "libvirt.unavailable"
    case libvirtFailed = "libvirt.failed"
    case toolFailed = "tool.failed"
    case toolMissing = "tool.missing"
    case daemonBusy = "daemon.busy"
    case daemonStopping = "daemon.stopping"
    case internalError = "internal.error"

    /// The HTTP status of a reply that carries this error.
    public var status: Int {
        switch self {
        case .requestInvalid, .requestUnknownField, .requestMalformed: 400
        case .requestTimeout: 408
        case .requestTooLarge: 413
        case .requestRange: 416
        case .requestMediaType: 415
        case .requestMethod: 405
        case .idempotencyMismatch: 422
        case .permissionDenied, .pathForbidden: 403
        case .revisionStale: 412
        case .requestPath, .vmNotFound, .diskNotFound, .nicNotFound, .imageNotFound, .networkNotFound,
            .poolNotFound, .volumeNotFound, .pathNotFound,
            .operationNotFound, .warningNotFound, .profileNotFound, .reservationNotFound, .recordNotFound,
            .forwardNotFound, .tapNotFound, .bridgeNotFound, .linkNotFound, .securityGroupNotFound:
            404
        case .agentMissing, .vmDeviceBusy, .vmExists, .vmBusy, .vmProtected, .vmForeign, .vmTransient,
            .vmState, .vmMissing,
            .vmNoConsole, .vmNoScreen, .consoleBusy, .consoleTaken,
            .imageExists,
            .imageBusy, .imageInUse, .imageState, .imageProtected, .volumeInUse, .operationState,
            .profileExists, .networkExists, .networkBusy, .networkInUse, .networkForeign,
            .networkProtected, .networkTransient, .networkOverlap, .networkRestart, .networkReserved,
            .networkNoService, .networkNoCheck, .poolExists, .poolBusy, .poolInUse, .poolState, .poolForeign,
            .poolProtected, .poolTransient, .poolOverlap, .volumeExists, .volumeBusy, .volumeForeign,
            .volumeState, .volumeShrink, .forwardTaken, .tapForeign, .tapInUse, .linkExists, .linkInUse,
            .bridgeForeign, .bridgeInUse, .bridgeState, .linkManaged,
            .securityGroupExists, .securityGroupInUse:
            409
        case .libvirtUnavailable, .daemonStopping, .daemonBusy: 503
        // The guest is the one behind (RFC 9110, sections 15.6.3 and 15.6.5).
        case .agentFailed: 502
        case .agentUnresponsive: 504
        // RFC 4918, section 11.5.
        case .storageFull: 507
        case .consoleOverrun, .vmStopTimeout, .imageChecksum, .imageFormat,
            .imageBackingFile, .imageCorrupt, .imageChanged,
            .imageDownload, .storageFailed, .operationCancelled, .operationInterrupted,
            .libvirtFailed, .linkFailed,
            .toolFailed,
            .toolMissing, .hostNetworkFailed, .internalError:
            500
        }
    }

    /// The exit code of a command that ends with this error.
    public var exitCode: Int32 { ExitCode.forStatus(status).rawValue }
}

/// The exit codes of `vctl`.
public enum ExitCode: Int32, Sendable, CaseIterable {
    case success = 0
    case failed = 1
    case changes = 2
    case notFound = 3
    case conflict = 4
    case denied = 5
    case unreachable = 6
    case timeout = 7
    case warnings = 8
    case usage = 64
    case interrupted = 130

    /// The exit code that an HTTP status stands for.
    public static func forStatus(_ status: Int) -> ExitCode {
        switch status {
        case 200..<400: .success
        case 403: .denied
        case 404: .notFound
        case 409, 412: .conflict
        case 400..<500: .usage
        case 503: .unreachable
        default: .failed
        }
    }
}
