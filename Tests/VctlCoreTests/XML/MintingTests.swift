// SPDX-License-Identifier: Apache-2.0
import Testing
import VctlAPI

@testable import VctlCore

struct MintingTests {
    private struct Counter: RandomNumberGenerator {
        var value: UInt64 = 0
        mutating func next() -> UInt64 {
            value = value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return value
        }
    }

    @Test func addressesComeFromTheSource() {
        var (one, two) = (Counter(), Counter())
        for _ in 0..<1000 {
            let mac = Minting.mac(using: &one)
            #expect(mac == Minting.mac(using: &two))
            #expect(mac.wholeMatch(of: /52:54:00(:[0-9a-f]{2}){3}/) != nil)
        }
    }

    @Test func takenAddressesAreAvoided() {
        let macs = (0..<100).reduce(into: Set<String>()) { macs, _ in macs.insert(Minting.mac(avoiding: macs))
        }
        #expect(macs.count == 100)
    }

    @Test func namesFitTheKernelAndVirtio() {
        let id = ObjectID()
        #expect(Minting.tap(vm: id, index: 7) == "vt\(id.short)7")
        #expect(Minting.tap(vm: id, index: 99999).utf8.count == 15)
        #expect(Minting.serial(volume: id).utf8.count == 20)
    }

    @Test func targetsFollowTheBuses() {
        var targets = Minting.Targets()
        #expect(
            [.virtio, .virtio, .scsi, .sata, .virtio].map { targets.next($0) } == [
                "vda", "vdb", "sda", "sdb", "vdc",
            ])
        #expect(
            [0, 25, 26, 27, 701, 702].map(Minting.Targets.letters) == ["a", "z", "aa", "ab", "zz", "aaa"])
    }
}
