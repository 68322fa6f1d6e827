// SPDX-License-Identifier: Apache-2.0
import CNetlink
import Glibc

extension NftablesTable {
    /// How often rules were changed in the network namespace of the thread that asks, in whatever table and
    /// by whomever: every transaction counts one. `nil`: the kernel does not say.
    public func generation() -> UInt32? {
        let kind = SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue
        let descriptor = socket(AF_NETLINK, Int32(kind), NETLINK_NETFILTER)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let request = GenerationMessage.request
        guard send(descriptor, request, request.count, 0) == request.count else { return nil }
        var reply = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &reply, reply.count, 0)
        return count > 0 ? GenerationMessage.number(in: reply.prefix(count)) : nil
    }
}

/// How the kernel is asked: `NFT_MSG_GETGEN` of linux/netfilter/nf_tables.h, answered by `NFT_MSG_NEWGEN`.
enum GenerationMessage {
    /// `NFNL_SUBSYS_NFTABLES`, in the upper byte of a message's type.
    private static let subsystem: UInt16 = 10 << 8
    private static let (newGeneration, getGeneration): (UInt16, UInt16) = (15, 16)
    /// `nlmsghdr` and `nfgenmsg`.
    private static let headers = 20
    /// `NFTA_GEN_ID`, a number in the network's order.
    private static let identifier: UInt16 = 1

    static var request: [UInt8] {
        var bytes: [UInt8] = []
        withUnsafeBytes(of: UInt32(headers)) { bytes += $0 }
        withUnsafeBytes(of: subsystem | getGeneration) { bytes += $0 }
        withUnsafeBytes(of: UInt16(NLM_F_REQUEST)) { bytes += $0 }
        return bytes + [UInt8](repeating: 0, count: headers - bytes.count)
    }

    /// What an answer says; `nil` for one about something else, or a refusal.
    static func number(in message: some Collection<UInt8>) -> UInt32? {
        let bytes = Array(message)
        guard bytes.count >= headers, short(bytes, 4) == subsystem | newGeneration else { return nil }
        var next = headers
        while next + 8 <= bytes.count {
            let length = Int(short(bytes, next))
            if short(bytes, next + 2) == identifier, length == 8 {
                return bytes[(next + 4)..<(next + 8)].reduce(0) { $0 << 8 | UInt32($1) }
            }
            guard length >= 4 else { return nil }
            next += (length + 3) & ~3
        }
        return nil
    }

    private static func short(_ bytes: [UInt8], _ offset: Int) -> UInt16 {
        bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt16.self) }
    }
}
