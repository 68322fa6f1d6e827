// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// The addresses that a guest says it has.
enum GuestAddresses {
    /// By MAC, in lower case; none where the agent does not answer.
    static func read(_ agent: GuestAgent) async -> [String: [VM.Address]] {
        guard
            let interfaces = try? await agent.send(
                "guest-network-get-interfaces", Empty(), as: [Interface].self)
        else { return [:] }
        var result: [String: [VM.Address]] = [:]
        for interface in interfaces {
            guard let mac = interface.mac?.lowercased() else { continue }
            let known = (interface.addresses ?? []).compactMap(\.address)
            result[mac] = Array((result[mac, default: []] + known).prefix(most))
        }
        return result
    }

    /// A guest can make up as many as it likes.
    private static let most = 64

    private struct Interface: Decodable, Sendable {
        var mac: String?
        var addresses: [IP]?
        enum CodingKeys: String, CodingKey {
            case mac = "hardware-address", addresses = "ip-addresses"
        }
    }

    private struct IP: Decodable, Sendable {
        var text: String
        var prefix: Int?
        enum CodingKeys: String, CodingKey { case text = "ip-address", prefix }

        /// Link-local addresses reach nobody by themselves, and what is no address is not shown as one.
        var address: VM.Address? {
            let isPlain =
                text.utf8.count <= 45
                && text.utf8.allSatisfy { byte in
                    byte == 0x2E || byte == 0x3A || (0x30...0x39).contains(byte)
                        || (0x61...0x66).contains(byte | 0x20)
                }
            guard isPlain, !text.isEmpty, !text.lowercased().hasPrefix("fe80:") else { return nil }
            let length = prefix.flatMap { (0...128).contains($0) ? $0 : nil }
            return VM.Address(address: text, prefix: length, source: .agent)
        }
    }
}
