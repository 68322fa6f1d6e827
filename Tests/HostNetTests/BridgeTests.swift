// SPDX-License-Identifier: Apache-2.0
import Foundation
import HostNet
import Testing

/// The kernel's own answers, in a network namespace that ends with the test.
@Suite(.enabled(if: geteuid() == 0, "network namespaces are root's"))
struct BridgeTests {
    @Test func aBridgeHasWhatItWasAskedFor() throws {
        try OwnNetwork.run {
            try Bridges.make(BridgeSpec(name: "br0", mac: [2, 0, 0, 0, 0, 7], stp: true))
            let bridge = try #require(try Links.all().first { $0.name == "br0" })
            #expect(bridge.kind == .bridge && bridge.mac == "02:00:00:00:00:07")
            try TAPs.make(TAPSpec(name: "tap0"))
            let tap = try #require(try Links.all().first { $0.name == "tap0" })
            var change = LinkChange()
            change.master = bridge.index
            try Links.change(tap.index, change)
            #expect(try Links.all().first { $0.name == "tap0" }?.master == bridge.index)
            change.master = 0
            try Links.change(tap.index, change)
            #expect(try Links.all().first { $0.name == "tap0" }?.master == nil)
            let twice = #expect(throws: HostNetError.self) { try Bridges.make(BridgeSpec(name: "br0")) }
            #expect(twice?.errno == EEXIST)
        }
    }

    @Test func addressesComeAndGo() throws {
        try OwnNetwork.run {
            try Bridges.make(BridgeSpec(name: "br0"))
            let index = try #require(try Links.all().first { $0.name == "br0" }?.index)
            let first = Address(link: index, bytes: [10, 1, 2, 3], length: 24)
            let second = Address(
                link: index, bytes: [0xFD] + [UInt8](repeating: 0, count: 14) + [9], length: 64)
            for address in [first, second, first] { try Addresses.add(address) }
            #expect(try Addresses.all().map(\.text).sorted() == ["10.1.2.3/24", "fd00::9/64"])
            #expect(try Addresses.all().allSatisfy { !$0.isTemporary && !$0.isLinkLocal })
            try Addresses.remove(first)
            let gone = #expect(throws: HostNetError.self) { try Addresses.remove(first) }
            #expect(gone?.errno == EADDRNOTAVAIL)
            #expect(try Addresses.all().map(\.text) == ["fd00::9/64"])
        }
    }
}
