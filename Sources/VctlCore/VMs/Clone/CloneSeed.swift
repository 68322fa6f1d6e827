// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import Yams

extension Seed {
    /// Whether its network-config names addresses of the guest (cloud-init's network configuration, versions
    /// 1 and 2).
    var hasFixedAddresses: Bool {
        guard let text = networkConfig, let root = try? Yams.compose(yaml: text) else { return false }
        return Self.fixesAddresses(root)
    }

    private static func fixesAddresses(_ node: Node) -> Bool {
        switch node {
        case .mapping(let pairs):
            pairs.contains { key, value in
                switch key.string {
                case "nameservers": false
                case "addresses": value.sequence?.isEmpty == false
                case "address": value.string != nil && pairs["type"]?.string?.hasPrefix("static") == true
                default: fixesAddresses(value)
                }
            }
        case .sequence(let items): items.contains(where: fixesAddresses)
        default: false
        }
    }

    /// The seed of a clone: the same user-data, but another instance-id and host name, so that cloud-init
    /// makes new ssh host keys, and the clone's MACs in place of the other one's.
    func cloned(as plan: ClonePlan) throws -> Seed {
        var seed = self
        seed.metaData = try CloudConfig.metaData(instanceID: plan.id.rawValue, hostname: plan.name)
        seed.networkConfig = networkConfig.map { Self.replace(plan.nics, in: $0) }
        seed.vendorData = Self.newMachineID
        return seed
    }

    private static func replace(_ nics: [ClonePlan.NIC], in text: String) -> String {
        nics.reduce(text) { text, nic in
            text.replacing(nic.from, with: nic.mac).replacing(nic.from.uppercased(), with: nic.mac)
        }
    }

    /// cloud-init leaves a machine-id that it finds on the disk. A boothook runs before everything else that
    /// it does, and nothing that the user says takes its place.
    static let newMachineID = """
        #cloud-boothook
        #!/bin/sh
        cloud-init-per instance vctl-machine-id sh -c '
          rm -f /etc/machine-id /var/lib/dbus/machine-id
          systemd-machine-id-setup || dbus-uuidgen --ensure=/etc/machine-id
          ln -sf /etc/machine-id /var/lib/dbus/machine-id'

        """
}
