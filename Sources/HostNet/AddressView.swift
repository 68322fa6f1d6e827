// SPDX-License-Identifier: Apache-2.0
import CNetlink

/// What must be known of an address to move it, in the kernel's own message.
struct AddressView {
    let message: KernelMessage
    private let address: Address

    static let size = MemoryLayout<ifaddrmsg>.size

    init?(_ message: KernelMessage) {
        guard let address = Address(message) else { return nil }
        self.message = message
        self.address = address
    }

    var isLinkLocal: Bool { address.isLinkLocal }
    var isTemporary: Bool { address.isTemporary }
    /// Those that the kernel gives to each link by itself.
    var isKernels: Bool { address.isLinkLocal && address.bytes.count == 16 }
    /// The kernel lists addresses of IPv4 as they came, and those of IPv6 the last one first.
    static func inOrderOfMaking(_ addresses: [AddressView]) -> [AddressView] {
        addresses.filter { $0.address.bytes.count == 4 }
            + addresses.filter { $0.address.bytes.count == 16 }.reversed()
    }

    /// The first address of a network is the one that packets leave with, so their order counts; that of the
    /// kernel's own does not.
    static func sameness(_ addresses: [AddressView]) -> [String] {
        addresses.filter { !$0.isKernels }.map(\.address.text)
            + addresses.filter(\.isKernels).map(\.address.text).sorted()
    }

    /// Whether it is for the host to keep, among those of its link.
    func isHosts(among others: [AddressView]) -> Bool {
        let maker = message.attributes(behind: Self.size)[Self.maker]?.first ?? 0
        guard !isTemporary, maker == 0 else { return false }
        return address.length < address.bytes.count * 8 || !others.contains { $0.contains(address) }
    }

    /// `IFA_PROTO`, which older headers lack.
    private static let maker = 11

    private func contains(_ other: Address) -> Bool {
        guard address.link == other.link, address.bytes.count == other.bytes.count,
            address.length < other.length
        else { return false }
        return (0..<address.length).allSatisfy { bit in
            let mask: UInt8 = 0x80 >> UInt8(bit % 8)
            return address.bytes[bit / 8] & mask == other.bytes[bit / 8] & mask
        }
    }

    /// What makes it the same address.
    var identity: [UInt8] { address.bytes + [UInt8(address.length)] }

    /// The message with which the same address is given to a link; `nil` where its time has passed.
    /// - Parameters:
    ///   - elapsed: seconds since the message was read.
    ///   - label: the names of the link that had it and of the one that gets it.
    func remade(_ link: Int, elapsed: Int, label: (old: String, new: String)) -> KernelMessage? {
        var new = KernelMessage(type: message.type, bytes: Array(message.bytes.prefix(Self.size)))
        new.bytes[2] = 0
        new.set(UInt32(link), at: 4)
        var offset = Self.size
        while let (number, value) = message.attribute(at: offset) {
            offset = KernelMessage.aligned(value.upperBound)
            let bytes = Array(message.bytes[value])
            switch number {
            case Int(IFA_LABEL): new.append(number, Self.relabelled(bytes, label))
            case Int(IFA_CACHEINFO):
                guard let times = Self.times(bytes, elapsed) else { return nil }
                new.append(number, times)
            case Int(IFA_FLAGS):
                // What it was like at the moment is no part of a request: NODAD, HOMEADDRESS, MANAGETEMPADDR,
                // NOPREFIXROUTE, MCAUTOJOIN are.
                new.append(number, ((bytes.number ?? 0) & 0x712).bytes)
            default: new.append(number, bytes)
            }
        }
        return new
    }

    private static func relabelled(_ bytes: [UInt8], _ label: (old: String, new: String)) -> [UInt8] {
        let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        let old = label.old
        guard text == old || text.hasPrefix(old + ":") else { return bytes }
        return Array((label.new + text.dropFirst(old.count)).utf8.prefix(15)) + [0]
    }

    /// For how long it is preferred and valid, in seconds.
    private static func times(_ bytes: [UInt8], _ elapsed: Int) -> [UInt8]? {
        guard bytes.count >= 8 else { return bytes }
        let both: [UInt32] = [0, 4].map { offset in
            let time: UInt32 = Array(bytes[offset..<offset + 4]).number ?? .max
            return time == .max ? time : UInt32(max(0, Int(time) - elapsed))
        }
        guard both[1] > 0 else { return nil }
        return both[0].bytes + both[1].bytes + Array(bytes.dropFirst(8))
    }
}
