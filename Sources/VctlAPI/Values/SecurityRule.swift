// SPDX-License-Identifier: Apache-2.0

/// What may come in: `tcp/22`, `udp/5000-5010`, `icmp`, `any`, each with ` from 10.0.0.0/8` behind it where
/// only some may send it.
public struct SecurityRule: Hashable, Sendable, CustomStringConvertible {
    /// What is spoken.
    public enum Traffic: String, Sendable, CaseIterable {
        case tcp, udp, icmp, any
    }

    public let traffic: Traffic
    /// Of TCP and UDP; `nil`: all.
    public let ports: ClosedRange<UInt16>?
    /// Who may send it; `nil`: everybody, by IPv4 and IPv6.
    public let source: Subnet?

    public var description: String {
        let range = ports.map { $0.count == 1 ? "/\($0.lowerBound)" : "/\($0.lowerBound)-\($0.upperBound)" }
        return traffic.rawValue + (range ?? "") + (source.map { " from \($0)" } ?? "")
    }
}

extension SecurityRule: CheckedString {
    private static let form =
        "write tcp/22, udp/5000-5010, icmp or any, and behind it from 10.0.0.0/8 if wanted"

    public init(checking text: String) throws(InvalidValue) {
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 1 || words.count == 3 && words[1] == "from" else {
            throw InvalidValue(value: text, problem: "this is no rule; \(Self.form)")
        }
        let parts = words[0].split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2, let traffic = Traffic(rawValue: parts[0]) else {
            throw InvalidValue(value: text, problem: "this is no rule; \(Self.form)")
        }
        self.traffic = traffic
        ports = parts.count < 2 ? nil : try Self.ports(parts[1], of: text, traffic)
        source = words.count == 3 ? try Self.source(words[2]) : nil
    }

    private static func ports(
        _ part: String, of text: String, _ traffic: Traffic
    ) throws(InvalidValue) -> ClosedRange<UInt16> {
        guard traffic == .tcp || traffic == .udp else {
            throw InvalidValue(value: text, problem: "only tcp and udp have ports")
        }
        let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard let first = ends[0], let last = ends.last.flatMap(\.self), ends.count <= 2, first > 0,
            first <= last
        else { throw InvalidValue(value: text, problem: "ports are numbers from 1 to 65535: 22, 5000-5010") }
        return first...last
    }

    /// A single address is a subnet of one.
    private static func source(_ text: String) throws(InvalidValue) -> Subnet {
        if let address = IPAddress(text) { return Subnet(of: address, prefix: address.family.bits) }
        return try Subnet(checking: text)
    }

    public static var schema: Schema {
        Schema(
            type: "string",
            pattern: "^(tcp|udp)(/[0-9]{1,5}(-[0-9]{1,5})?)?( from [0-9A-Fa-f:./]{2,49})?$"
                + "|^(icmp|any)( from [0-9A-Fa-f:./]{2,49})?$")
    }
    public static var example: SecurityRule { try! SecurityRule(checking: "tcp/22 from 10.0.0.0/8") }
}
