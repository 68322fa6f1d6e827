// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI
import VirtXML

extension DomainEffects {
    /// Rules for a domain that is about to start, whether the inventory has it as it is now or not.
    /// - Throws: ``HostNetError``; `LibvirtError`.
    func guardNICs(of domain: Domain) async throws {
        guard let text = try await Self.keptMetadata(domain), let mark = Mark(metadata: text),
            mark.instance == environment.state.instance, mark.nics.contains(where: \.isGuarded)
        else { return }
        let saved = try DomainXML(parsing: try await domain.xml(.inactive))
        let nics = saved.interfaces.compactMap(VM.NIC.init).map(mark.completed)
        try await environment.nicGuard.hold(nics.compactMap { GuardedNIC($0, isRunning: true) })
    }
}

extension Mark {
    /// A NIC with what the mark says of it.
    func completed(_ nic: VM.NIC) -> VM.NIC {
        guard let part = nics.first(where: { $0.mac == nic.mac }) else { return nic }
        var nic = nic
        nic.antiSpoofing = part.antiSpoofing ? true : nil
        nic.ip = part.addresses.isEmpty ? nil : part.addresses
        nic.securityGroups = part.groups.isEmpty ? nil : part.groups
        return nic
    }
}
