// SPDX-License-Identifier: Apache-2.0
import Glibc

/// An IP address of a link with the length of its network: `10.0.0.1/24`, `fd00::1/64`.
public struct LinkAddress: Hashable, Sendable, CustomStringConvertible {
    /// Four or sixteen.
    public let bytes: [UInt8]
    /// The bits that the network has.
    public let length: Int

    /// A checked address.
    /// - Throws: ``InvalidValue`` that says which rule the text breaks.
    public init(_ text: String) throws(InvalidValue) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let bytes = Self.bytes(of: String(parts[0])), parts[1].utf8.count <= 3,
            parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(parts[1]),
            (1...bytes.count * 8).contains(length)
        else {
            throw InvalidValue(
                value: text, problem: "write an address with its network's length, like 10.0.0.1/24")
        }
        self.bytes = bytes
        self.length = length
        if let problem { throw InvalidValue(value: text, problem: problem) }
    }

    private static func bytes(of text: String) -> [UInt8]? {
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: count)
            if inet_pton(family, text, &bytes) == 1 { return bytes }
        }
        return nil
    }

    private var problem: String? {
        let isIPv4 = bytes.count == 4
        if isIPv4 ? bytes[0] >= 224 : bytes[0] == 0xFF { return "no link has this address" }
        if isIPv4 ? bytes[0] == 0 || bytes[0] == 127 : bytes.dropLast().allSatisfy({ $0 == 0 }) {
            return "no link but lo has this address"
        }
        // Networks of one or two addresses have none for themselves.
        guard length < bytes.count * 8 - 1 else { return nil }
        let host = hostBits
        if host.allSatisfy({ !$0 }) { return "this is the network itself; take one of its addresses" }
        return isIPv4 && host.allSatisfy({ $0 }) ? "this is the network's broadcast address" : nil
    }

    private var hostBits: [Bool] {
        (length..<bytes.count * 8).map { bytes[$0 / 8] & (0x80 >> UInt8($0 % 8)) != 0 }
    }

    /// As the kernel writes it.
    public var description: String {
        var text = [CChar](repeating: 0, count: 64)
        inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count))
        let address = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "\(address)/\(length)"
    }
}

extension LinkAddress: CheckedString {
    public init(checking text: String) throws(InvalidValue) { try self.init(text) }
    public static var schema: Schema { Schema(type: "string", minLength: 4, maxLength: 64) }
    public static var example: LinkAddress { try! LinkAddress("10.0.0.1/24") }
}
