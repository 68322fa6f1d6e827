// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// A change of a VM's power.
enum PowerChange: Codable, Hashable, Sendable {
    case start(paused: Bool, discardState: Bool, rescue: RescueBoot? = nil)
    case stop(graceSeconds: Int, force: Bool)
    case restart(graceSeconds: Int, force: Bool)
    case reset
    case pause
    case resume
    case suspend

    /// What would be done, in a sentence.
    var sentence: String {
        switch self {
        case .start(let paused, let discard, let rescue):
            (discard ? "throw away the saved memory and " : "") + "start it" + (paused ? " paused" : "")
                + (rescue.map { ", this once from \($0.what)" } ?? "")
        case .stop(0, true): "power it off"
        case .stop(let grace, let force):
            "ask the guest to shut down and wait \(grace) s" + (force ? ", then power it off" : "")
        case .restart: "stop it and start it"
        case .reset: "reset it"
        case .pause: "halt its CPUs"
        case .resume: "let its CPUs go on"
        case .suspend: "save its memory on the disk and power it off"
        }
    }

    /// Whether it says what becomes of a VM that is off: then nothing is done about its crashes any more.
    var decides: Bool {
        switch self {
        case .start, .stop, .restart, .suspend: true
        case .reset, .pause, .resume: false
        }
    }

    /// Whether somebody wants the VM to be off while this is under way.
    var stops: Bool {
        switch self {
        case .stop, .restart, .suspend: true
        case .start, .reset, .pause, .resume: false
        }
    }

    /// - Throws: ``Problem`` `vm.state` or `vm.missing` where the change makes no sense. What is already as
    ///   wanted is no error.
    func refuse(in state: VMState, name: String) throws {
        if state == .missing {
            throw Problem(
                .vmMissing, "VM \(name) is missing: libvirt has no such domain any more",
                hint: "vctl vm delete \(name)")
        }
        let refused: Bool
        switch self {
        case .start, .stop: refused = false
        case .restart: refused = false
        case .reset, .pause: refused = state == .stopped || state == .suspended || state == .crashed
        case .resume: refused = state == .stopped || state == .suspended || state == .crashed
        case .suspend: refused = state == .stopped || state == .crashed
        }
        guard !refused else {
            throw Problem(.vmState, "VM \(name) is \(state.rawValue)", hint: "vctl vm start \(name)")
        }
    }
}
