// SPDX-License-Identifier: Apache-2.0
import CNetlink
import Glibc

/// A socket that never waits, in the network namespace that its thread was in when it was opened.
public final class ProbeSocket: Sendable {
    /// What goes through it.
    public enum Kind: Sendable {
        /// Datagrams.
        case udp
        /// Echo requests, which kernels answer; needs root.
        case echo
    }

    /// A packet that came in.
    public struct Packet: Sendable {
        public var bytes: [UInt8]
        /// From whom, in the order of the wire.
        public var source: [UInt8]
        public var port: UInt16
    }

    private let descriptor: Int32
    private let isLong: Bool
    private let kind: Kind
    /// What it can be reached by.
    public let port: UInt16

    /// - Parameters:
    ///   - isLong: IPv6.
    ///   - port: 0: any that is free.
    ///   - link: the only one that packets leave and come in by.
    /// - Throws: ``HostNetError``.
    public init(isLong: Bool, _ kind: Kind, port: UInt16 = 0, link: String? = nil) throws(HostNetError) {
        let family = isLong ? AF_INET6 : AF_INET
        let type = kind == .udp ? SOCK_DGRAM.rawValue : SOCK_RAW.rawValue
        let echo = isLong ? Int32(IPPROTO_ICMPV6) : Int32(IPPROTO_ICMP)
        let made = socket(
            family, Int32(type | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), kind == .udp ? 0 : echo)
        guard made >= 0 else { throw Self.failure("open a socket") }
        do throws(HostNetError) {
            try Self.prepare(made, isLong, kind, port, link)
        } catch {
            close(made)
            throw error
        }
        (descriptor, self.isLong, self.kind) = (made, isLong, kind)
        self.port = kind == .udp ? Self.port(of: made) : 0
    }

    deinit { close(descriptor) }

    private static func prepare(
        _ socket: Int32, _ isLong: Bool, _ kind: Kind, _ port: UInt16, _ link: String?
    ) throws(HostNetError) {
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        setsockopt(socket, SOL_SOCKET, SO_BROADCAST, &on, size)
        if let link {
            let bound = setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, link, socklen_t(link.utf8.count))
            guard bound == 0 else { throw failure("use \(link) alone") }
        }
        guard kind == .udp else { return }
        var (storage, length) = Self.address([UInt8](repeating: 0, count: isLong ? 16 : 4), port)
        let bound = withUnsafePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, length) }
        }
        guard bound == 0 else { throw failure("listen to port \(port)") }
    }

    /// Sends; whether the kernel took it.
    @discardableResult
    public func send(_ bytes: [UInt8], to target: [UInt8], port: UInt16 = 0) -> Bool {
        var (storage, length) = Self.address(target, port)
        let sent = withUnsafePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
        return sent == bytes.count
    }

    /// The next packet that is there, without the header of IP.
    public func receive() -> Packet? {
        var buffer = [UInt8](repeating: 0, count: 2048)
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let count = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length)
            }
        }
        guard count >= 0 else { return nil }
        let (source, port) = Self.read(&storage, isLong)
        var bytes = Array(buffer[..<count])
        // A raw socket of IPv4 has the header in front.
        if kind == .echo, !isLong { bytes.removeFirst(min(count, Int((bytes.first ?? 0) & 0xF) * 4)) }
        return Packet(bytes: bytes, source: source, port: port)
    }

    private static func address(_ bytes: [UInt8], _ port: UInt16) -> (sockaddr_storage, socklen_t) {
        var storage = sockaddr_storage()
        let isLong = bytes.count == 16
        withUnsafeMutableBytes(of: &storage) { raw in
            raw.storeBytes(of: sa_family_t(isLong ? AF_INET6 : AF_INET), as: sa_family_t.self)
            raw.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
            for (place, byte) in bytes.enumerated() { raw[(isLong ? 8 : 4) + place] = byte }
        }
        return (
            storage,
            socklen_t(isLong ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
        )
    }

    private static func read(_ storage: inout sockaddr_storage, _ isLong: Bool) -> ([UInt8], UInt16) {
        withUnsafeBytes(of: &storage) { raw in
            let begin = isLong ? 8 : 4
            let port = UInt16(bigEndian: raw.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
            return (Array(raw[begin..<begin + (isLong ? 16 : 4)]), port)
        }
    }

    private static func port(of socket: Int32) -> UInt16 {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
        }
        return read(&storage, false).1
    }

    private static func failure(_ call: String) -> HostNetError {
        HostNetError(call: call, errno: errno, message: String(cString: strerror(errno)))
    }
}

/// Echo requests and their answers (RFC 792, RFC 4443).
public enum Echo {
    /// A request; the kernel does the checksum of IPv6.
    public static func request(isLong: Bool, identifier: UInt16, _ payload: [UInt8]) -> [UInt8] {
        let name = [UInt8(identifier >> 8), UInt8(identifier & 0xFF)]
        var packet: [UInt8] = [isLong ? 128 : 8, 0, 0, 0] + name + [0, 1] + payload
        guard !isLong else { return packet }
        let sum = checksum(packet)
        (packet[2], packet[3]) = (UInt8(sum >> 8), UInt8(sum & 0xFF))
        return packet
    }

    /// Whether a packet is the answer to such a request.
    public static func isAnswer(_ packet: [UInt8], isLong: Bool, identifier: UInt16) -> Bool {
        packet.count >= 8 && packet[0] == (isLong ? 129 : 0)
            && UInt16(packet[4]) << 8 | UInt16(packet[5]) == identifier
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for place in stride(from: 0, to: bytes.count, by: 2) {
            let low = place + 1 < bytes.count ? bytes[place + 1] : 0
            sum += UInt32(bytes[place]) << 8 | UInt32(low)
        }
        while sum > 0xFFFF { sum = (sum & 0xFFFF) + (sum >> 16) }
        return ~UInt16(sum)
    }
}

/// Asking a DHCP server for an address, without taking it (RFC 2131, DHCPDISCOVER): it keeps nothing of it.
public enum DHCPDiscovery {
    /// What is broadcast to port 67, from port 68.
    public static func message(mac: [UInt8], number: UInt32) -> [UInt8] {
        precondition(mac.count == 6)
        var packet = [UInt8](repeating: 0, count: 236)
        (packet[0], packet[1], packet[2]) = (1, 1, 6)
        for place in 0..<4 { packet[4 + place] = UInt8(truncatingIfNeeded: number >> (24 - 8 * place)) }
        // Answers are to be broadcast: there is no address yet that they could go to.
        packet[10] = 0x80
        packet.replaceSubrange(28..<34, with: mac)
        packet += [99, 130, 83, 99, 53, 1, 1, 55, 2, 1, 3, 255]
        return packet + [UInt8](repeating: 0, count: max(0, 300 - packet.count))
    }

    /// The address that a server offers in answer; `nil` where the packet is no such answer.
    public static func offer(_ packet: [UInt8], number: UInt32) -> [UInt8]? {
        guard packet.count > 240, packet[0] == 2, Array(packet[236..<240]) == [99, 130, 83, 99] else {
            return nil
        }
        let answered = packet[4..<8].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard answered == number, kind(packet) == 2 else { return nil }
        return Array(packet[16..<20])
    }

    /// Option 53.
    private static func kind(_ packet: [UInt8]) -> UInt8? {
        var place = 240
        while place + 1 < packet.count, packet[place] != 255 {
            if packet[place] == 0 {
                place += 1
                continue
            }
            if packet[place] == 53, place + 2 < packet.count { return packet[place + 2] }
            place += 2 + Int(packet[place + 1])
        }
        return nil
    }
}
