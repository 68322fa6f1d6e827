// SPDX-License-Identifier: Apache-2.0
import Testing
import VctlAPI

@testable import VctlCore

@Suite struct CloneSeedTests {
    @Test func aCloneIsSomebodyElse() throws {
        let plan = ClonePlan(
            source: ObjectReference(kind: .vm, id: ObjectID(), name: "web"),
            mark: Mark(instance: ObjectID(), id: ObjectID()), name: "copy", disks: [],
            nics: [.init(from: "52:54:00:aa:00:01", mac: "52:54:00:bb:00:01", tap: "t")], consoleLog: "/log")
        let seed = Seed(
            userData: "#cloud-config\nusers: []\n", metaData: "instance-id: old\nlocal-hostname: web\n",
            networkConfig: "match: {macaddress: 52:54:00:aa:00:01}\nmore: 52:54:00:AA:00:01\n")
        let clone = try seed.cloned(as: plan)
        #expect(clone.userData == seed.userData)
        #expect(clone.metaData.contains(plan.id.rawValue) && clone.metaData.contains("copy"))
        #expect(!clone.metaData.contains("old") && !clone.metaData.contains("web"))
        #expect(clone.networkConfig == "match: {macaddress: 52:54:00:bb:00:01}\nmore: 52:54:00:bb:00:01\n")
        #expect(clone.vendorData?.hasPrefix("#cloud-boothook\n") == true)
        #expect(clone.files.map(\.name).contains("vendor-data"))
    }

    @Test(arguments: [
        ("version: 2\nethernets: {a: {dhcp4: true, nameservers: {addresses: [192.0.2.1]}}}\n", false),
        ("version: 2\nethernets: {a: {addresses: [192.0.2.7/24]}}\n", true),
        ("version: 1\nconfig: [{type: physical, subnets: [{type: dhcp}]}]\n", false),
        ("version: 1\nconfig: [{type: physical, subnets: [{type: static, address: 192.0.2.7/24}]}]\n", true),
        ("[\n", false),
    ])
    func fixedAddressesAreNoticed(text: String, isFixed: Bool) {
        let seed = Seed(userData: "", metaData: "", networkConfig: text)
        #expect(seed.hasFixedAddresses == isFixed)
    }
}
