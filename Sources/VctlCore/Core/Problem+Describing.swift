// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import HostNet
import Libvirt
import VctlAPI

extension Problem {
    /// Any error as one that can be shown; nothing is lost but what may not be seen.
    public init(describing error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as LibvirtError: self.init(libvirt: error)
        case let error as HostNetError where error.isOfRules:
            self = Problem(.hostNetworkFailed, shown("\(error)", limit: 500), hint: "vctl host doctor")
        case let error as ToolError: self.init(tool: error)
        case let error as FileFailure: self.init(file: error)
        case let error as HostNetError: self.init(hostNet: error)
        case let error as Unwritten: self.init(describing: error.cause)
        case is CancellationError, is Cancelled:
            self = Problem(.operationCancelled, "the operation was cancelled")
        case let error as InvalidValue: self = Problem(.requestInvalid, "\(error)")
        case let error as DatabaseError where error.resultCode == .SQLITE_FULL:
            self = Problem(
                .storageFull, "the disk that holds the inventory is full",
                hint: "make room where the state directory is: df -h")
        case let error as CocoaError where error.code == .fileWriteOutOfSpace:
            self.init(file: FileFailure(path: error.filePath ?? "a file", errno: ENOSPC))
        case let error as ClaimConflict: self.init(conflict: error)
        default: self = Problem(.internalError, shown("\(error)", limit: 500))
        }
    }

    /// - Parameter kind: what kind of object the refused operation was about.
    init(conflict: ClaimConflict, about kind: ObjectKind? = nil) {
        let code: ErrorCode =
            switch kind {
            case .network: .networkBusy
            case .pool: .poolBusy
            case .volume: .volumeBusy
            default: .vmBusy
            }
        self.init(
            code,
            "operation \(conflict.holder) is working on \(conflict.name.map { shown($0) } ?? "it")",
            hint: "vctl operation wait \(conflict.holder)", operation: conflict.holder)
    }

    init(libvirt error: LibvirtError) {
        guard !error.isOfTransport else {
            self.init(
                .libvirtUnavailable, "libvirt cannot be reached: \(shown(error.message, limit: 300))",
                hint: "systemctl status libvirtd")
            return
        }
        let detail = LibvirtDetail(
            code: Int(error.code.rawValue), domain: Int(error.domain),
            message: shown(error.message, limit: 1000))
        self.init(.libvirtFailed, "libvirt: \(detail.message)", libvirt: detail)
    }

    init(tool error: ToolError) {
        if case .missing = error.reason {
            self.init(
                .toolMissing, "\(error.tool) is not installed on the host",
                hint: "apt-get install qemu-utils xorriso curl")
        } else {
            self.init(.toolFailed, shown("\(error)", limit: 600))
        }
    }
}

extension LibvirtError {
    /// Errors of the way to libvirtd, and not of what was asked: `VIR_FROM_RPC` and `VIR_FROM_REMOTE`
    /// (virterror.h) are the domains of those that have no code of their own.
    var isOfTransport: Bool { code == .noConnect || code == .rpc || domain == 7 || domain == 13 }
}
