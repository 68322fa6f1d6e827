// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VirtXML

/// Which of a VM's disks and NICs are booted from, and in which order. Disks are named by their target, NICs
/// by their MAC.
struct BootOrder: Codable, Hashable, Sendable {
    /// From 1; no two have the same.
    private(set) var places: [String: Int]

    init(_ places: [String: Int] = [:]) { self.places = places }

    init(of domain: DomainXML) {
        let disks = domain.disks.compactMap { disk in
            disk.bootOrder.flatMap { order in disk.targetDev.map { ($0, order) } }
        }
        let nics = domain.interfaces.compactMap { nic in
            nic.bootOrder.flatMap { order in nic.mac.map { ($0.lowercased(), order) } }
        }
        places = Dictionary(disks + nics) { first, _ in first }
    }

    /// Puts a device at a place. What is there moves one back, and so on up to the next gap.
    mutating func put(_ device: String, at place: Int?) {
        places[device] = nil
        guard let place else { return }
        var pushed: (name: String, place: Int)? = (device, place)
        while let (name, place) = pushed {
            let holder = places.first { $0.value == place }?.key
            places[name] = place
            pushed = holder.map { ($0, place + 1) }
        }
    }

    /// Writes it into a definition.
    func apply(to domain: inout DomainXML) {
        for index in domain.disks.indices {
            guard let target = domain.disks[index].targetDev else { continue }
            if domain.disks[index].bootOrder != places[target] {
                domain.disks[index].bootOrder = places[target]
            }
        }
        for index in domain.interfaces.indices {
            guard let mac = domain.interfaces[index].mac?.lowercased() else { continue }
            if domain.interfaces[index].bootOrder != places[mac] {
                domain.interfaces[index].bootOrder = places[mac]
            }
        }
    }

    /// - Throws: ``Problem`` `vm.state` where the definition says in libvirt's other way what is booted: both
    ///   cannot stand beside each other.
    static func refuseOtherWay(_ domain: DomainXML, name: String) throws {
        guard !domain.osBootDevices.isEmpty else { return }
        throw Problem(
            .vmState,
            "VM \(shown(name)) boots by the list in its <os>, beside which no NIC can have a place",
            hint:
                "vctl vm xml \(shown(name)) --inactive > FILE, put <boot order='N'/> into the devices instead"
                + " of <os>, then vctl vm set \(shown(name)) --xml FILE")
    }
}

extension DomainPlan {
    /// The NICs' own wishes come last: they push disks back.
    mutating func placeNICs() {
        let wishes = nics.compactMap { nic in nic.bootOrder.map { (nic.mac, $0) } }.sorted { $0.1 < $1.1 }
        guard !wishes.isEmpty else { return }
        var order = BootOrder(
            Dictionary(disks.compactMap { disk in disk.bootOrder.map { (disk.target, $0) } }) { first, _ in
                first
            })
        for (mac, place) in wishes { order.put(mac, at: place) }
        for index in disks.indices { disks[index].bootOrder = order.places[disks[index].target] }
        for index in nics.indices { nics[index].bootOrder = order.places[nics[index].mac] }
    }
}
