// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// What programs of the host listen on.
struct ListeningPorts: Sendable {
    var files = HostFiles()

    /// The first port of a range that a program has at an address, which a forward would hide.
    func first(of ports: PortRange, _ transport: TransportProtocol, at address: IPAddress) -> Int? {
        let own = address.family == .ipv4 ? "" : "6"
        let places = ["\(transport.rawValue)\(own)"] + (own.isEmpty ? ["\(transport.rawValue)6"] : [])
        return places.flatMap { sockets($0, transport) }.filter { socket in
            let isAny = socket.address.allSatisfy { $0 == "0" }
            let isSame = address.number == 0 || isAny || socket.address == Self.spelt(address)
            // Of those that listen to IPv6, only who listens to all of it hears IPv4, too.
            let hears = socket.address.utf8.count == (address.family == .ipv4 ? 8 : 32) || isAny
            return isSame && hears && (ports.first...ports.last).contains(socket.port)
        }.map(\.port).min()
    }

    private struct Socket {
        let address: String
        let port: Int
    }

    /// `0: 00000000:1F90 00000000:0000 0A …`: TCP's state 0A listens, and UDP's 07 is not connected.
    private func sockets(_ name: String, _ transport: TransportProtocol) -> [Socket] {
        files.lines("/proc/net/\(name)").dropFirst().compactMap { line in
            let fields = line.split(separator: " ").map(String.init)
            guard fields.count > 3, fields[3] == (transport == .tcp ? "0A" : "07") else { return nil }
            let local = fields[1].split(separator: ":").map(String.init)
            guard local.count == 2, let port = Int(local[1], radix: 16) else { return nil }
            return Socket(address: local[0], port: port)
        }
    }

    /// As the kernel spells it: words of 32 bits in the host's order of bytes.
    private static func spelt(_ address: IPAddress) -> String {
        let words = (0..<address.family.bits / 32).reversed().map { place in
            UInt32(truncatingIfNeeded: address.number >> (32 * place)).bigEndian
        }
        return words.map { word in
            let digits = String(word, radix: 16, uppercase: true)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }
}
