// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI
import VirtXML

/// Adds devices to domains and takes them away, in the saved definition and in what runs. Each looks first, so
/// that it may run twice.
struct DeviceEffects: Sendable {
    let environment: VMEnvironment
    let id: ObjectID

    /// How long a guest may take to let go of a device.
    static let patience = Duration.seconds(30)

    /// Which of the two there are: a stopped domain has a definition alone.
    private func places(_ domain: Domain) async throws -> [Domain.Affect] {
        try await domain.isActive() ? [.live, .config] : [.config]
    }

    private func xml(_ domain: Domain, _ place: Domain.Affect) async throws -> DomainXML {
        try DomainXML(parsing: try await domain.xml(place == .config ? [.inactive, .secure] : .secure))
    }

    private func domain() async throws -> Domain {
        try await DomainEffects(environment: environment).existing(id)
    }

    /// Adds a device where there is none that `find` finds.
    func attach(_ device: Element, unless find: (DomainXML) -> Element?) async throws {
        let domain = try await domain()
        let text = Document(root: device).serialized()
        for place in try await places(domain) where try await find(xml(domain, place)) == nil {
            try await domain.attachDevice(text, place)
        }
    }

    /// Takes a device away: first from the guest, which has to let go of it, then from the definition.
    /// - Throws: ``Problem`` `vm.deviceBusy` when the guest does not let go; nothing is changed then.
    func detach(_ what: String, _ find: (DomainXML) -> Element?) async throws {
        let domain = try await domain()
        for place in try await places(domain) {
            guard let device = try await find(xml(domain, place)) else { continue }
            try await domain.detachDevice(Document(root: device).serialized(), place)
            guard place == .live else { continue }
            try await waitUntilGone(what, domain, find)
        }
    }

    private func waitUntilGone(_ what: String, _ domain: Domain, _ find: (DomainXML) -> Element?) async throws
    {
        let end = ContinuousClock.now + Self.patience
        while try await domain.isActive(), try await find(xml(domain, .live)) != nil {
            guard ContinuousClock.now < end else {
                throw Problem(
                    .vmDeviceBusy, "the guest does not let go of \(what)",
                    hint: "unmount it in the guest, or stop the VM first")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Puts a changed device in the place of one.
    func update(force: Bool, _ find: (DomainXML) -> Element?, _ change: (inout Element) -> Void) async throws
    {
        let domain = try await domain()
        // The definition is what libvirt takes a change of a running device from, too.
        guard let saved = try await find(xml(domain, .config)) else { return }
        var device = saved
        change(&device)
        let text = Document(root: device).serialized()
        for place in try await places(domain) {
            try await domain.updateDevice(text, force: force, place)
        }
    }
}

extension DomainXML {
    /// The disk or drive with a name such as `vda`.
    func disk(_ target: String) -> Element? { self.disks.first { $0.targetDev == target }?.element }

    /// The NIC with a MAC.
    func nic(_ mac: String) -> Element? { self.interfaces.first { $0.mac?.lowercased() == mac }?.element }
}
