// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Tells a DHCP server on this host that a client has no more need of its address (RFC 2131, DHCPRELEASE).
public enum DHCPRelease {
    /// Sends it in the name of a client, by the link that the server serves. Nothing answers.
    /// - Parameters:
    ///   - address: the client's, IPv4 in the order of the wire.
    ///   - server: the server's own in that network.
    ///   - identifier: what the client calls itself, where it does.
    /// - Throws: ``HostNetError``.
    public static func send(
        address: [UInt8], mac: [UInt8], identifier: [UInt8]?, server: [UInt8], by link: String
    ) throws {
        precondition(address.count == 4 && mac.count == 6 && server.count == 4)
        let call = "release a DHCP lease by \(link)"
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure(call) }
        defer { close(descriptor) }
        // Else it would come in by the loopback device, which the server does not listen to.
        let bound = setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, link, socklen_t(link.utf8.count))
        guard bound == 0 else { throw failure(call) }
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = in_port_t(67).bigEndian
        target.sin_addr.s_addr = server.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
        let packet = message(address, mac, identifier, server)
        let sent = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, packet, packet.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard sent == packet.count else { throw failure(call) }
    }

    /// The fixed part with its cookie, and the options 53 (kind), 54 (server) and 61 (client).
    static func message(_ address: [UInt8], _ mac: [UInt8], _ identifier: [UInt8]?, _ server: [UInt8])
        -> [UInt8]
    {
        var packet = [UInt8](repeating: 0, count: 236)
        (packet[0], packet[1], packet[2]) = (1, 1, 6)
        for index in 4..<8 { packet[index] = UInt8.random(in: 0...255) }
        packet.replaceSubrange(12..<16, with: address)
        packet.replaceSubrange(28..<34, with: mac)
        packet += [99, 130, 83, 99, 53, 1, 7, 54, 4] + server
        if let identifier, (1...255).contains(identifier.count) {
            packet += [61, UInt8(identifier.count)] + identifier
        }
        packet.append(255)
        return packet + [UInt8](repeating: 0, count: max(0, 300 - packet.count))
    }

    private static func failure(_ call: String) -> HostNetError {
        HostNetError(call: call, errno: errno, message: String(cString: strerror(errno)))
    }
}
