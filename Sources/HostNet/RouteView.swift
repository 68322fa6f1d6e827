// SPDX-License-Identifier: Apache-2.0
import CNetlink
import Glibc

/// The kernel's numbers for the parts of a route.
private enum Part {
    static let oif = Int(RTA_OIF.rawValue)
    static let gateway = Int(RTA_GATEWAY.rawValue)
    static let via = Int(RTA_VIA.rawValue)
    static let multipath = Int(RTA_MULTIPATH.rawValue)
    static let cacheInfo = Int(RTA_CACHEINFO.rawValue)
    static let table = Int(RTA_TABLE.rawValue)
    static let preferredSource = Int(RTA_PREFSRC.rawValue)
    static let expires = Int(RTA_EXPIRES.rawValue)
    static let destination = Int(RTA_DST.rawValue)
    static let priority = Int(RTA_PRIORITY.rawValue)
    static let nexthopObject = Int(RTA_NH_ID.rawValue)
}

/// What must be known of a route to move it, in the kernel's own message.
struct RouteView {
    let message: KernelMessage
    private let header: rtmsg
    private let attributes: [Int: [UInt8]]

    static let size = MemoryLayout<rtmsg>.size

    init?(_ message: KernelMessage) {
        guard message.bytes.count >= Self.size else { return nil }
        self.message = message
        header = message.bytes.withUnsafeBytes { $0.loadUnaligned(as: rtmsg.self) }
        attributes = message.attributes(behind: Self.size)
    }

    /// The kernel fills the table `local` itself, and copies of routes that it made for one packet go with
    /// them.
    var isOfUse: Bool {
        let (local, cloned): (UInt32, UInt32) = (255, 0x200)
        // There are routes of other kinds, as those of multicasts.
        guard [AF_INET, AF_INET6].contains(Int32(header.rtm_family)) else { return false }
        return table != local && header.rtm_flags & cloned == 0
    }

    private var table: UInt32 { attributes[Part.table]?.number ?? UInt32(header.rtm_table) }
    /// Whether it came by itself, with an address.
    var isKernels: Bool { header.rtm_protocol == 2 }
    /// Whether an administrator made it, or a program that says no more than that: nobody, `boot`, `static`.
    var isHosts: Bool { [0, 3, 4].contains(header.rtm_protocol) && !isTemporary }
    var isDefault: Bool { header.rtm_dst_len == 0 && table == 254 && header.rtm_type == 1 }
    /// Whether it says its way by the number of another object, which nobody here moves.
    var isByNexthopObject: Bool { attributes[Part.nexthopObject] != nil }
    var hasGateway: Bool {
        [Part.gateway, Part.via, Part.multipath].contains { attributes[$0] != nil }
    }

    /// Those of IPv6 may be for one destination, with one metric, and over several links.
    var flagsOfMaking: Int32 {
        header.rtm_family == UInt8(AF_INET6) ? NLM_F_CREATE : NLM_F_CREATE | NLM_F_EXCL
    }

    /// The numbers of the links that it goes over.
    var links: [Int] {
        let own = attributes[Part.oif].flatMap(\.number).map { [Int($0)] } ?? []
        return own + nexthops.map(\.link)
    }

    func stands(on links: Set<Int>, or addresses: Set<[UInt8]>) -> Bool {
        self.links.contains(where: links.contains)
            || attributes[Part.preferredSource].map { addresses.contains($0) } == true
    }

    /// The ways of a route that has several, and where each is in the message.
    private var nexthops: [(link: Int, offset: Int)] {
        var offset = Self.size
        while let (number, value) = message.attribute(at: offset) {
            if number == Part.multipath { return nexthops(in: value) }
            offset = KernelMessage.aligned(value.upperBound)
        }
        return []
    }

    private func nexthops(in range: Range<Int>) -> [(link: Int, offset: Int)] {
        var found: [(link: Int, offset: Int)] = []
        var offset = range.lowerBound
        while offset + 8 <= range.upperBound {
            let length = Int(message.bytes[offset]) | Int(message.bytes[offset + 1]) << 8
            guard length >= 8 else { break }
            let index = Array(message.bytes[offset + 4..<offset + 8]).number ?? 0
            found.append((Int(index), offset))
            offset = KernelMessage.aligned(offset + length)
        }
        return found
    }

    /// The message with which the same route is made over other links.
    /// - Parameter numbers: the links' new numbers by their old ones.
    func remade(_ numbers: [Int: Int]) -> KernelMessage {
        var new = KernelMessage(type: message.type, bytes: Array(message.bytes.prefix(Self.size)))
        // What it was like at the moment is no part of a request: only ONLINK and PERVASIVE are.
        new.set(UInt32(header.rtm_flags & 0b110), at: 8)
        var offset = Self.size
        while let (number, value) = message.attribute(at: offset) {
            offset = KernelMessage.aligned(value.upperBound)
            switch number {
            case Part.oif:
                let old = Int(Array(message.bytes[value]).number ?? 0)
                new.append(number, UInt32(numbers[old] ?? old).bytes)
            case Part.multipath: new.append(number, remadeNexthops(value, numbers))
            case Part.cacheInfo:
                // The end of a route that a router announced, in hundredths of a second.
                let ticks = Int32(bitPattern: Array(message.bytes[value].dropFirst(8).prefix(4)).number ?? 0)
                if ticks > 0 { new.append(Part.expires, UInt32(max(1, ticks / 100)).bytes) }
            default: new.append(number, Array(message.bytes[value]))
            }
        }
        return new
    }

    private func remadeNexthops(_ range: Range<Int>, _ numbers: [Int: Int]) -> [UInt8] {
        var new = message
        for (link, offset) in nexthops(in: range) {
            new.set(UInt32(numbers[link] ?? link), at: offset + 4)
            new.bytes[offset + 2] &= 0b110
        }
        return Array(new.bytes[range])
    }

    /// Whether it ends by itself, as one that a router announced.
    var isTemporary: Bool {
        guard let bytes = attributes[Part.cacheInfo], bytes.count >= 12 else { return false }
        return Int32(bitPattern: Array(bytes[8..<12]).number ?? 0) > 0
    }

    /// Where it leads to, in which table, and how it ranks among others that lead there.
    var destination: [UInt8] {
        let priority = attributes[Part.priority] ?? []
        return [header.rtm_family, header.rtm_dst_len, header.rtm_tos] + table.bytes
            + (attributes[Part.destination] ?? []) + priority
    }

    /// What makes it the same route: all but what passes by itself.
    var identity: KernelMessage {
        var same = remade([:])
        if isTemporary { same.remove(Part.expires, behind: Self.size) }
        return same
    }
}

/// The host's ways, in the network namespace of the thread that asks.
public enum Routes {
    /// The number of the link that packets to an address leave by; `nil` where there is no way, or it is no
    /// address.
    /// - Throws: ``HostNetError``.
    public static func link(to address: String) throws -> Int? {
        let isNew = address.contains(":")
        var destination = [UInt8](repeating: 0, count: isNew ? 16 : 4)
        guard inet_pton(isNew ? AF_INET6 : AF_INET, address, &destination) == 1 else { return nil }
        let header = [UInt8(isNew ? AF_INET6 : AF_INET), UInt8(destination.count * 8)]
        let rest = [UInt8](repeating: 0, count: RouteView.size - header.count)
        var request = KernelMessage(type: 0, bytes: header + rest)
        request.append(Part.destination, destination)
        let call = "find the way to \(address)"
        let answer = try RouteSocket().ask(call, Int(RTM_GETROUTE), request.bytes)
        return answer.lazy.compactMap { RouteView($0)?.links.first }.first
    }
}

extension KernelMessage {
    mutating func set(_ number: UInt32, at offset: Int) {
        for (place, byte) in number.bytes.enumerated() { bytes[offset + place] = byte }
    }

    mutating func append(_ number: Int, _ value: [UInt8]) {
        let length = value.count + 4
        bytes += [
            UInt8(length & 0xFF), UInt8(length >> 8), UInt8(number & 0xFF), UInt8(number >> 8),
        ]
        bytes += value + [UInt8](repeating: 0, count: Self.aligned(length) - length)
    }

    fileprivate mutating func remove(_ number: Int, behind size: Int) {
        var offset = size
        while let (found, value) = attribute(at: offset) {
            let next = Self.aligned(value.upperBound)
            if found == number {
                bytes.removeSubrange(offset..<min(next, bytes.count))
                return
            }
            offset = next
        }
    }
}

extension UInt32 {
    /// In the machine's order, as netlink has numbers.
    var bytes: [UInt8] { withUnsafeBytes(of: self) { Array($0) } }
}

extension Array where Element == UInt8 {
    /// The number of four bytes in the machine's order.
    var number: UInt32? {
        count == 4 ? withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) } : nil
    }
}
