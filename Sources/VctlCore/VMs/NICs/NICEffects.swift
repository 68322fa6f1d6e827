// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VirtXML

extension DeviceEffects {
    /// Changes a NIC: what runs, as far as it can be changed while it runs, and the saved definition.
    func change(_ mac: String, _ setting: NICSetting) async throws {
        let domain = try await domain()
        let name = DeviceName.nic(mac)
        let saved = try DomainXML(parsing: try await domain.xml([.inactive, .secure]))
        guard let device = name.find(in: saved) else { return }
        let atOnce = setting.atOnce
        if atOnce != NICSetting(), let running = name.find(in: try await live(domain) ?? saved),
            try await domain.isActive()
        {
            var nic = InterfaceXML(element: Self.live(device, running))
            atOnce.apply(to: &nic)
            try await domain.updateDevice(Document(root: nic.element).serialized(), force: false, .live)
        }
        try await redefine(domain) { definition in
            guard let element = name.find(in: definition) else { return }
            var nic = InterfaceXML(element: element)
            setting.apply(to: &nic)
            name.put(nic.element, into: &definition)
        }
    }

    /// The saved NIC with what cannot change while it runs as it is in what runs. It is not the running one,
    /// which bears what libvirt filled in for its network.
    private static func live(_ saved: Element, _ running: Element) -> Element {
        var element = saved
        for part in ["model", "driver", "mtu", "boot", "vlan"] {
            element[child: part] = running[child: part]
        }
        return element
    }

    /// Changes what is booted, in the saved definition: a running guest has booted.
    func boot(_ order: BootOrder) async throws {
        try await redefine(try await domain()) { order.apply(to: &$0) }
    }
}
