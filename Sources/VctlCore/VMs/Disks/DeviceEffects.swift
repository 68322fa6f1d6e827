// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI
import VirtXML

/// A device of a domain, by what it has for itself alone.
enum DeviceName: Hashable, Sendable {
    /// `vda`
    case disk(String)
    /// By its MAC, in lower case.
    case nic(String)

    var words: String {
        switch self {
        case .disk(let target): target
        case .nic(let mac): "the NIC \(mac)"
        }
    }

    /// The device in a definition.
    func find(in domain: DomainXML) -> Element? {
        switch self {
        case .disk(let target): domain.disks.first { $0.targetDev == target }?.element
        case .nic(let mac): domain.interfaces.first { $0.mac?.lowercased() == mac }?.element
        }
    }

    /// Puts it where it is, or behind its likes; `nil` takes it out.
    func put(_ element: Element?, into domain: inout DomainXML) {
        switch self {
        case .disk(let target):
            Self.put(element.map(DiskXML.init), into: &domain.disks) { $0.targetDev == target }
        case .nic(let mac):
            Self.put(element.map(InterfaceXML.init), into: &domain.interfaces) { $0.mac?.lowercased() == mac }
        }
    }

    private static func put<View>(_ new: View?, into list: inout [View], _ isIt: (View) -> Bool) {
        guard let index = list.firstIndex(where: isIt) else {
            if let new { list.append(new) }
            return
        }
        if let new { list[index] = new } else { list.remove(at: index) }
    }
}

/// Adds devices to domains and takes them away: in what runs by libvirt's calls for that, in the saved
/// definition by an edit of it. Each looks first, so that it may run twice.
struct DeviceEffects: Sendable {
    let environment: VMEnvironment
    let id: ObjectID

    /// How long a guest may take to let go of a device.
    static let patience = Duration.seconds(30)

    private func domain() async throws -> Domain {
        try await DomainEffects(environment: environment).existing(id)
    }

    private func live(_ domain: Domain) async throws -> DomainXML? {
        guard try await domain.isActive() else { return nil }
        return try DomainXML(parsing: try await domain.xml(.secure))
    }

    /// Adds a device where there is none of that name.
    func attach(_ name: DeviceName, _ device: Element) async throws {
        let domain = try await domain()
        if let live = try await live(domain), name.find(in: live) == nil {
            try await domain.attachDevice(Document(root: device).serialized(), .live)
        }
        try await redefine(domain) { saved in
            if name.find(in: saved) == nil { name.put(device, into: &saved) }
        }
    }

    /// Takes a device away: first from the guest, which has to let go of it, then from the definition.
    /// - Throws: ``Problem`` `vm.deviceBusy` when the guest does not let go; nothing is changed then.
    func detach(_ name: DeviceName) async throws {
        let domain = try await domain()
        if let live = try await live(domain), let device = name.find(in: live) {
            try await domain.detachDevice(Document(root: device).serialized(), .live)
            try await waitUntilGone(name, domain)
        }
        try await redefine(domain) { name.put(nil, into: &$0) }
    }

    private func waitUntilGone(_ name: DeviceName, _ domain: Domain) async throws {
        let end = ContinuousClock.now + Self.patience
        while let live = try await live(domain), name.find(in: live) != nil {
            guard ContinuousClock.now < end else {
                throw Problem(
                    .vmDeviceBusy, "the guest does not let go of \(name.words)",
                    hint: "unmount it in the guest, or stop the VM first")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Puts a changed device in the place of one. What runs gets it made from the saved one: the live one bears
    /// what libvirt filled in for the old place.
    func update(_ name: DeviceName, force: Bool, _ change: (inout Element) -> Void) async throws {
        let domain = try await domain()
        let saved = try DomainXML(parsing: try await domain.xml([.inactive, .secure]))
        guard var device = name.find(in: saved) else { return }
        change(&device)
        if let live = try await live(domain), name.find(in: live) != nil {
            try await domain.updateDevice(Document(root: device).serialized(), force: force, .live)
        }
        try await redefine(domain) { name.put(device, into: &$0) }
    }

    private func redefine(_ domain: Domain, _ change: (inout DomainXML) -> Void) async throws {
        let before = try DomainXML(parsing: try await domain.xml([.inactive, .secure]))
        var after = before
        change(&after)
        guard after != before else { return }
        _ = try await environment.hypervisor.managed.connection().define(domain: after.xml)
    }
}
