// SPDX-License-Identifier: Apache-2.0

/// Who packets of a network's check go between.
public enum NetworkEnd: String, APIEnum {
    /// A probe that is on the network as a guest is.
    case guest
    /// Another one beside it.
    case neighbour
    /// The host itself.
    case host
    /// A third probe, behind the host, which stands for everybody else.
    case outside
    /// The network's DHCP server.
    case dhcp
}

/// What became of packets.
public enum NetworkReach: String, APIEnum {
    /// They arrived, and so did the answer.
    case reached
    /// They arrived, and the answer did not.
    case oneWay
    /// They did not arrive.
    case unreached
}

/// What is to be said of a path, or of all.
public enum NetworkVerdict: String, APIEnum {
    /// As the model promises.
    case ok
    /// Otherwise.
    case differs
    /// It cannot be known from here.
    case unproven
}

/// One way that packets may go.
public struct NetworkPath: Codable, Hashable, Sendable {
    public var from: NetworkEnd
    public var to: NetworkEnd
    public var family: IPFamily
    /// What the model promises; absent where it promises nothing.
    public var expected: NetworkReach?
    /// What was seen; absent where it could not be tried.
    public var seen: NetworkReach?
    /// The address that packets have to come from.
    public var expectedSource: IPAddress?
    /// The address that they came from.
    public var source: IPAddress?
    public var verdict: NetworkVerdict
    /// The codes of what may be the reason where it differs.
    public var causes: [String]
    public init(from: NetworkEnd, to: NetworkEnd, family: IPFamily) {
        (self.from, self.to, self.family) = (from, to, family)
        (verdict, causes) = (.unproven, [])
    }
}

/// Why packets do not go as they should.
public struct NetworkCause: Codable, Hashable, Sendable {
    /// A stable, dotted word: `forwarding.off`, `forward.policy`, …
    public var code: String
    public var message: String
    /// The command that mends it.
    public var hint: String?
    public init(code: String, message: String, hint: String?) {
        (self.code, self.message, self.hint) = (code, message, hint)
    }
}

/// What a network's model promises, and what probes on the wire have seen of it.
public struct NetworkCheck: Codable, Hashable, Sendable {
    public var network: String
    public var networkID: ObjectID
    public var model: NetworkModel?
    /// `differs` where one path does.
    public var verdict: NetworkVerdict
    public var paths: [NetworkPath]
    /// The reasons of what differs.
    public var causes: [NetworkCause]
    /// What could not be tried, and why.
    public var notes: [String]
    public var checkedAt: Timestamp
    public init(network: String, networkID: ObjectID, model: NetworkModel?, checkedAt: Timestamp) {
        (self.network, self.networkID, self.model) = (network, networkID, model)
        self.checkedAt = checkedAt
        (verdict, paths, causes, notes) = (.unproven, [], [], [])
    }
}
