// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Libvirt
import VctlAPI

/// What libvirt says about one domain, as far as a ``VM`` shows it.
struct DomainView: Sendable {
    var id: ObjectID
    var name: String
    var status: DomainStatus
    var autostart: Bool
    var persistent: Bool
    var hasManagedSave: Bool
    /// The XML of what runs.
    var activeXML: String?
    /// The XML of the saved definition.
    var inactiveXML: String?

    init(
        id: ObjectID, name: String, status: DomainStatus, autostart: Bool = false, persistent: Bool = true,
        hasManagedSave: Bool = false, activeXML: String? = nil, inactiveXML: String? = nil
    ) {
        self.id = id
        self.name = name
        self.status = status
        self.autostart = autostart
        self.persistent = persistent
        self.hasManagedSave = hasManagedSave
        self.activeXML = activeXML
        self.inactiveXML = inactiveXML
    }

    /// From a record of the mirror.
    init(_ record: DomainRecord) {
        self.init(
            id: ObjectID(record.uuid.uuidString) ?? ObjectID(), name: record.name, status: record.status,
            autostart: record.autostart, persistent: record.isPersistent,
            hasManagedSave: record.hasManagedSave, activeXML: record.activeXML,
            inactiveXML: record.inactiveXML)
    }
}

extension DomainView {
    /// The state in the product's words.
    var state: VMState {
        switch status.state {
        case .running, .blocked, .shuttingDown: .running
        // libvirt starts QEMU with halted CPUs. Nobody has paused it, and it has not started yet.
        case .paused where status.isStartingUp: off
        case .paused, .pmSuspended: .paused
        case .shutoff: off
        case .crashed: .crashed
        case .none: .unknown
        }
    }

    private var off: VMState { hasManagedSave ? .suspended : .stopped }

    /// Why it is in that state.
    var stateReason: StateReason {
        switch status.state {
        case .shuttingDown: .shuttingDown
        case .pmSuspended: .asleep
        case .blocked: .blocked
        // Why it went off before is forgotten with the next libvirtd; that its memory is there is not.
        case .shutoff where hasManagedSave: .saved
        case .none, .running, .paused, .shutoff, .crashed:
            StateReason(rawValue: Self.camelCase(status.reasonName)) ?? .unknown
        }
    }

    /// `io-error` → `ioError`, as the API spells everything.
    private static func camelCase(_ word: String) -> String {
        let parts = word.split(separator: "-")
        let rest = parts.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }
        return ([String(parts.first ?? "")] + rest).joined()
    }
}
