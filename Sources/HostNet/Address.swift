// SPDX-License-Identifier: Apache-2.0
import CNetlink
import Glibc

/// An IP address of a link.
public struct Address: Hashable, Sendable {
    /// The number of its link.
    public var link: Int
    /// Four or sixteen.
    public var bytes: [UInt8]
    /// The bits that the network has.
    public var length: Int
    /// Whether it is of this link alone (`fe80::…`), as the kernel gives one to each link by itself.
    public var isLinkLocal: Bool
    /// Whether it ends by itself, as one from DHCP or from a router does.
    public var isTemporary: Bool

    /// An address that lasts.
    public init(link: Int, bytes: [UInt8], length: Int) {
        self.link = link
        self.bytes = bytes
        self.length = length
        isLinkLocal = false
        isTemporary = false
    }

    /// `10.0.0.1/24`, `fd00::1/64`.
    public var text: String {
        var text = [CChar](repeating: 0, count: 64)
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        inet_ntop(family, bytes, &text, socklen_t(text.count))
        let address = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "\(address)/\(length)"
    }
}

/// The addresses of all links, in the network namespace of the thread that asks.
public enum Addresses {
    /// All of them, in the kernel's order.
    /// - Throws: ``HostNetError``.
    public static func all() throws -> [Address] {
        try RouteSocket().dump("list the addresses", Int(RTM_GETADDR)).compactMap(Address.init)
    }

    /// Adds one that lasts; that it is there already is as good.
    /// - Throws: ``HostNetError``.
    public static func add(_ address: Address) throws {
        try send("add \(address.text)", Int(RTM_NEWADDR), NLM_F_CREATE | NLM_F_REPLACE, address)
    }

    /// Removes one.
    /// - Throws: ``HostNetError``: `EADDRNOTAVAIL` where there is none.
    public static func remove(_ address: Address) throws {
        try send("remove \(address.text)", Int(RTM_DELADDR), 0, address)
    }

    private static func send(_ call: String, _ type: Int, _ flags: Int32, _ address: Address) throws {
        var header = ifaddrmsg()
        header.ifa_family = UInt8(address.bytes.count == 4 ? AF_INET : AF_INET6)
        header.ifa_prefixlen = UInt8(address.length)
        header.ifa_index = UInt32(address.link)
        try RouteSocket().send(call, type, flags: flags, header) { message in
            nla_put(message, Int32(IFA_LOCAL), Int32(address.bytes.count), address.bytes)
            nla_put(message, Int32(IFA_ADDRESS), Int32(address.bytes.count), address.bytes)
        }
    }
}

extension Address {
    /// Reads the kernel's `RTM_NEWADDR`.
    init?(_ message: KernelMessage) {
        let size = MemoryLayout<ifaddrmsg>.size
        guard message.bytes.count >= size else { return nil }
        let header = message.bytes.withUnsafeBytes { $0.loadUnaligned(as: ifaddrmsg.self) }
        let attributes = message.attributes(behind: size)
        guard let bytes = attributes[Int(IFA_LOCAL)] ?? attributes[Int(IFA_ADDRESS)],
            bytes.count == 4 || bytes.count == 16
        else { return nil }
        link = Int(header.ifa_index)
        self.bytes = bytes
        length = Int(header.ifa_prefixlen)
        let linkScope: UInt8 = 253
        isLinkLocal = header.ifa_scope == linkScope
        let permanent: UInt8 = 0x80
        isTemporary = header.ifa_flags & permanent == 0
    }
}
