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

    /// Whether two devices of this name are one: disks are told by their files.
    func isSame(_ one: Element, _ other: Element) -> Bool {
        guard case .disk = self else { return true }
        return DiskXML(element: one).sourcePath == DiskXML(element: other).sourcePath
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

    func domain() async throws -> Domain {
        try await DomainEffects(environment: environment).existing(id)
    }

    func live(_ domain: Domain) async throws -> DomainXML? {
        guard try await domain.isActive() else { return nil }
        return try DomainXML(parsing: try await domain.xml(.secure))
    }

    /// Adds a device where there is none of that name.
    /// - Throws: ``Problem`` `vm.busy` when there is another one of that name by now.
    func attach(_ name: DeviceName, _ device: Element) async throws {
        let domain = try await domain()
        if let live = try await live(domain), try !isThere(name, device, in: live) {
            try await domain.attachDevice(Document(root: device).serialized(), .live)
        }
        try await redefine(domain) { saved in
            if try !isThere(name, device, in: saved) { name.put(device, into: &saved) }
        }
    }

    private func isThere(_ name: DeviceName, _ device: Element, in domain: DomainXML) throws -> Bool {
        guard let found = name.find(in: domain) else { return false }
        guard name.isSame(found, device) else {
            throw Problem(.vmBusy, "there is another \(name.words) in the VM by now", hint: "try again")
        }
        return true
    }

    /// Takes a device away: first from the guest, which has to let go of it, then from the definition.
    /// - Parameter only: what it has to be; another device of that name stays.
    /// - Throws: ``Problem`` `vm.deviceBusy` when the guest does not let go; nothing is changed then.
    func detach(_ name: DeviceName, only device: Element? = nil) async throws {
        let domain = try await domain()
        let isIt = { (found: Element) in device.map { name.isSame(found, $0) } ?? true }
        if let live = try await live(domain), let found = name.find(in: live), isIt(found) {
            try await domain.detachDevice(Document(root: found).serialized(), .live)
            try await waitUntilGone(name, domain)
        }
        try await redefine(domain) { saved in
            if let found = name.find(in: saved), isIt(found) { name.put(nil, into: &saved) }
        }
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

    /// Puts a changed device in the place of one. What runs gets it made from the saved one: the live one
    /// bears what libvirt filled in for the old place.
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

    /// Nobody else changes the definition between the reading and the writing.
    func redefine(_ domain: Domain, _ change: (inout DomainXML) throws -> Void) async throws {
        try await environment.turns.alone(id) {
            let before = try DomainXML(parsing: try await domain.xml([.inactive, .secure]))
            var after = before
            try change(&after)
            guard after != before else { return }
            _ = try await environment.hypervisor.managed.connection().define(domain: after.xml)
        }
    }
}
