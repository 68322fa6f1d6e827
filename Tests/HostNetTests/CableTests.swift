// SPDX-License-Identifier: Apache-2.0
import Foundation
import HostNet
import Testing

/// Cables and sockets between network namespaces that end with the test.
@Suite(.enabled(if: geteuid() == 0, "network namespaces are root's"))
struct CableTests {
    private static let (here, there): ([UInt8], [UInt8]) = ([192, 0, 2, 1], [192, 0, 2, 2])

    /// A namespace with a cable to it, both ends on and with addresses.
    private static func connected() throws -> (home: NetworkSpace, far: NetworkSpace) {
        let home = try NetworkSpace()
        let far = try NetworkSpace.made()
        try home.enter()
        let cable = Cable(
            name: "vk0", mac: [0xFE, 0x54, 0, 1, 2, 3], peer: "eth0", peerMAC: [0x52, 0x54, 0, 1, 2, 3],
            mtu: 1400)
        try cable.lay(to: far)
        for (space, name, address) in [(home, "vk0", here), (far, "eth0", there)] {
            try space.enter()
            let link = try #require(try Links.all().first { $0.name == name })
            #expect(link.kind == .other("veth") && link.mtu == 1400)
            var change = LinkChange()
            change.isUp = true
            try Links.change(link.index, change)
            try LinkPlace(link: link.index).add(address: address, prefix: 24)
        }
        try home.enter()
        return (home, far)
    }

    @Test func packetsSayWhereTheyComeFrom() throws {
        try OwnNetwork.run {
            let (home, far) = try Self.connected()
            try far.enter()
            let listener = try ProbeSocket(isLong: false, .udp)
            try home.enter()
            let sender = try ProbeSocket(isLong: false, .udp)
            let echo = try ProbeSocket(isLong: false, .echo)
            let request = Echo.request(isLong: false, identifier: 4711, [1, 2, 3])
            var heard: ProbeSocket.Packet?
            var isAnswered = false
            for _ in 0..<600 where heard == nil || !isAnswered {
                if heard == nil { sender.send([7, 7], to: Self.there, port: listener.port) }
                if !isAnswered { echo.send(request, to: Self.there) }
                usleep(50_000)
                if let packet = listener.receive() { heard = packet }
                while let packet = echo.receive() {
                    if Echo.isAnswer(packet.bytes, isLong: false, identifier: 4711) { isAnswered = true }
                }
            }
            #expect(heard?.bytes == [7, 7] && heard?.source == Self.here && heard?.port == sender.port)
            #expect(isAnswered)
        }
    }

    @Test func aCableGoesWithItsNamespace() throws {
        try OwnNetwork.run {
            var spaces: (home: NetworkSpace, far: NetworkSpace)? = try Self.connected()
            #expect(try Links.all().map(\.name) == ["lo", "vk0"])
            #expect(spaces != nil)
            spaces = nil
            for _ in 0..<600 where try Links.all().count > 1 { usleep(50_000) }
            #expect(try Links.all().map(\.name) == ["lo"])
        }
    }

    @Test func offersOfDHCPAreRead() {
        let asked = DHCPDiscovery.message(mac: [2, 0, 0, 0, 0, 1], number: 0x0102_0304)
        #expect(asked.count == 300 && Array(asked[4..<8]) == [1, 2, 3, 4] && asked[10] == 0x80)
        #expect(DHCPDiscovery.offer(asked, number: 0x0102_0304) == nil)
        var answer = asked
        answer[0] = 2
        answer.replaceSubrange(16..<20, with: [10, 0, 0, 9])
        answer.replaceSubrange(240..<243, with: [53, 1, 2])
        #expect(DHCPDiscovery.offer(answer, number: 0x0102_0304) == [10, 0, 0, 9])
        #expect(DHCPDiscovery.offer(answer, number: 5) == nil)
        // Cut off in the middle of an option, and one that says more than there is.
        for count in 0..<answer.count {
            _ = DHCPDiscovery.offer(Array(answer[..<count]), number: 0x0102_0304)
        }
        answer.replaceSubrange(240..<243, with: [1, 255, 2])
        #expect(DHCPDiscovery.offer(answer, number: 0x0102_0304) == nil)
    }
}
