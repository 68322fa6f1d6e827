// SPDX-License-Identifier: Apache-2.0
import Foundation
import HostNet
import Testing

/// The kernel's own answers, in a network namespace that ends with the test.
@Suite(.enabled(if: geteuid() == 0, "network namespaces are root's"))
struct LinkTests {
    @Test func aTAPIsMadeMarkedRenamedAndDeleted() throws {
        try OwnNetwork.run {
            try TAPs.make(TAPSpec(name: "vt-0001", queues: 4, owner: 1234))
            let made = try #require(try Links.all().first { $0.name == "vt-0001" })
            #expect(made.kind == .tap && !made.isUp && !made.hasCarrier && made.alias == nil)
            var change = LinkChange()
            change.alias = "vctl:a:b"
            try Links.change(made.index, change)
            change = LinkChange()
            (change.name, change.isUp, change.mtu) = ("lab0", true, 1400)
            change.mac = [2, 0, 0, 0, 0, 1]
            try Links.change(made.index, change)
            let changed = try #require(try Links.all().first { $0.index == made.index })
            #expect(changed.name == "lab0" && changed.isUp && changed.mtu == 1400)
            #expect(changed.alias == "vctl:a:b" && changed.mac == "02:00:00:00:00:01")
            try Links.delete(made.index)
            #expect(try Links.all().map(\.name) == ["lo"])
        }
    }

    @Test func whatStandsOnALinkSaysSo() throws {
        try OwnNetwork.run {
            try Bridges.make(BridgeSpec(name: "br0"))
            // The ends of a pair name each other, and stand on nothing.
            let made = system(
                "ip link add mv0 link br0 type macvlan && ip link add v0 type veth peer name v1")
            #expect(made == 0)
            let links = try Links.all()
            let bridge = try #require(links.first { $0.name == "br0" }?.index)
            #expect(links.filter { $0.lower != nil }.map(\.name) == ["mv0"])
            #expect(links.first { $0.name == "mv0" }?.lower == bridge)
        }
    }

    @Test func namesThatAreTakenAreRefused() throws {
        try OwnNetwork.run {
            try TAPs.make(TAPSpec(name: "a0"))
            try TAPs.make(TAPSpec(name: "a1"))
            let twice = #expect(throws: HostNetError.self) { try TAPs.make(TAPSpec(name: "a0")) }
            #expect(twice?.errno == EBUSY)
            let index = try #require(try Links.all().first { $0.name == "a1" }?.index)
            var change = LinkChange()
            change.name = "a0"
            let taken = #expect(throws: HostNetError.self) { try Links.change(index, change) }
            #expect(taken?.errno == EEXIST)
            let missing = #expect(throws: HostNetError.self) { try Links.delete(4711) }
            #expect(missing?.errno == ENODEV)
        }
    }
}
