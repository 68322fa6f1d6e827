// SPDX-License-Identifier: Apache-2.0
import CNetlink
import Glibc

/// A message of the kernel about an address or a route, as the kernel wrote it: what is not understood here
/// is not lost.
public struct KernelMessage: Hashable, Sendable, Codable {
    /// `RTM_NEWADDR`, `RTM_NEWROUTE`.
    public var type: UInt16
    /// The fixed part and the attributes.
    public var bytes: [UInt8]

    /// The attributes behind a fixed part of that size, by their numbers; of several of one number the last.
    func attributes(behind size: Int) -> [Int: [UInt8]] {
        var found: [Int: [UInt8]] = [:]
        var offset = size
        while let (number, range) = attribute(at: offset) {
            found[number] = Array(bytes[range])
            offset = Self.aligned(range.upperBound)
        }
        return found
    }

    /// The number of the attribute that begins there, and where its value is.
    func attribute(at offset: Int) -> (number: Int, value: Range<Int>)? {
        guard offset + 4 <= bytes.count else { return nil }
        let length = Int(bytes[offset]) | Int(bytes[offset + 1]) << 8
        guard length >= 4, offset + length <= bytes.count else { return nil }
        // The two highest bits are flags.
        let number = (Int(bytes[offset + 2]) | Int(bytes[offset + 3]) << 8) & 0x3FFF
        return (number, offset + 4..<offset + length)
    }

    static func aligned(_ offset: Int) -> Int { (offset + 3) & ~3 }
}

extension RouteSocket {
    /// All objects of a kind, as the kernel tells them; again where something changed meanwhile.
    /// - Parameter request: what is asked, which begins with a family of addresses.
    func dump(
        _ call: String, _ type: Int, _ request: [UInt8] = [UInt8(AF_UNSPEC)]
    ) throws -> [KernelMessage] {
        for _ in 0..<10 {
            do { return try dumpOnce(call, type, request) } catch let error as HostNetError
                where error.errno == EAGAIN
            {}
        }
        return try dumpOnce(call, type, request)
    }

    private func dumpOnce(_ call: String, _ type: Int, _ request: [UInt8]) throws -> [KernelMessage] {
        try ask(call, type, request, flags: NLM_F_ROOT | NLM_F_MATCH)
    }

    /// What the kernel answers to one question.
    func ask(
        _ call: String, _ type: Int, _ request: [UInt8], flags: Int32 = 0
    ) throws -> [KernelMessage] {
        var request = request
        final class Found { var messages: [KernelMessage] = [] }
        let found = Found()
        let context = Unmanaged.passUnretained(found).toOpaque()
        let result = nl_socket_modify_cb(
            raw, NL_CB_VALID, NL_CB_CUSTOM,
            { message, context in
                guard let message, let context, let header = nlmsg_hdr(message) else { return 0 }
                let data = UnsafeRawBufferPointer(
                    start: nlmsg_data(header), count: Int(nlmsg_datalen(header)))
                Unmanaged<Found>.fromOpaque(context).takeUnretainedValue().messages.append(
                    KernelMessage(type: header.pointee.nlmsg_type, bytes: Array(data)))
                return 0
            }, context)
        try check(result, call)
        try check(
            nl_send_simple(raw, Int32(type), flags, &request, request.count),
            call)
        try check(withExtendedLifetime(found) { nl_recvmsgs_default(raw) }, call)
        return found.messages
    }
}
