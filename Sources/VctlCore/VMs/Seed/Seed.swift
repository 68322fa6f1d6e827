// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// What cloud-init reads at a guest's boot (its NoCloud source): three small texts.
struct Seed: Hashable, Sendable {
    /// The volume label by which cloud-init finds the disk.
    static let label = "cidata"

    var userData: String
    var metaData: String
    /// Without it the guest asks for an address on its first NIC.
    var networkConfig: String?
    /// What the host has to say besides; the user's words count more.
    var vendorData: String?

    /// The files of the seed's file system.
    var files: [(name: String, text: String)] {
        var files = [("meta-data", metaData), ("user-data", userData)]
        if let networkConfig { files.append(("network-config", networkConfig)) }
        if let vendorData { files.append(("vendor-data", vendorData)) }
        return files
    }
}

/// What a seed is made of.
struct SeedRequest: Sendable {
    /// A new one makes cloud-init treat the guest as new; the VM's id for the first.
    var instanceID: String
    /// The VM's name; what no host name may hold is replaced.
    var hostname: String
    var user: String?
    var sshKeys: [String] = []
    /// user-data as given, instead of what `user` and `sshKeys` make.
    var cloudInit: Secret?
    /// network-config as given, instead of DHCP on every NIC.
    var networkConfig: Secret?
    /// The NICs' addresses, in order.
    var macs: [String] = []

    init(instanceID: String, hostname: String) {
        self.instanceID = instanceID
        self.hostname = hostname
    }

    /// The request behind a VM's creation.
    init(_ create: VMCreate, id: ObjectID, macs: [String]) {
        self.init(instanceID: id.rawValue, hostname: create.name.rawValue)
        user = create.user
        sshKeys = create.sshKeys ?? []
        cloudInit = create.cloudInit
        networkConfig = create.networkConfig
        self.macs = macs
    }

    /// Whether anything asks for a seed. A guest that knows nothing of cloud-init needs no second drive.
    var isWanted: Bool {
        user != nil || !sshKeys.isEmpty || cloudInit != nil || networkConfig != nil
    }

    /// The seed. Call ``problems()`` first; what that refuses gives a seed that cloud-init may refuse.
    func seed() throws -> Seed {
        Seed(
            userData: try cloudInit?.reveal() ?? CloudConfig.userData(user: user, sshKeys: sshKeys),
            metaData: try CloudConfig.metaData(instanceID: instanceID, hostname: hostname),
            networkConfig: try networkConfig?.reveal() ?? CloudConfig.networkConfig(macs: macs))
    }
}
