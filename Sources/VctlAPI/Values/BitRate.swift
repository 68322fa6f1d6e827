// SPDX-License-Identifier: Apache-2.0

/// A rate of data in bits per second, as those of links are told: decimal units, so that `10M` is 10 Mbit/s.
/// libvirt counts in units of 8 kbit/s.
public struct BitRate: CheckedNumber {
    /// Bits in a second.
    public let number: Int
    public static let range = step...400_000_000_000
    public static let rule = "a rate is from 8k (bits per second) to 400G"
    /// libvirt's unit.
    public static let step = 8000

    public init(checking number: Int) throws(InvalidValue) { self.number = try Self.checked(number) }

    /// The rate in libvirt's unit, rounded up.
    public var steps: Int { (number + Self.step - 1) / Self.step }

    /// Reads `800k`, `10M`, `1.5G`, `10Mbit`: bits per second, in decimal units.
    /// - Throws: ``InvalidValue`` when it is no such rate.
    public init(_ text: String) throws(InvalidValue) {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let number = Double(digits), let unit = Self.unit(text.dropFirst(digits.count)) else {
            throw InvalidValue(
                value: text, problem: "this is no rate; write 800k, 10M or 1.5G, in bits per second")
        }
        let bits = number * unit
        guard bits <= Double(Self.range.upperBound), bits == bits.rounded() else {
            throw InvalidValue(value: text, problem: Self.rule)
        }
        try self.init(checking: Int(bits))
    }

    private static func unit(_ text: Substring) -> Double? {
        switch text.lowercased() {
        case "", "bit": 1
        case "k", "kbit": 1e3
        case "m", "mbit": 1e6
        case "g", "gbit": 1e9
        default: nil
        }
    }

    /// `10 Mbit/s`
    public var description: String {
        let units = [(1_000_000_000, "Gbit/s"), (1_000_000, "Mbit/s"), (1000, "kbit/s")]
        let (unit, word) = units.first { number % $0.0 == 0 } ?? (1, "bit/s")
        return "\(number / unit) \(word)"
    }
}

/// How much a NIC may send or receive.
public struct RateLimit: Codable, Hashable, Sendable {
    /// In the long run.
    public var averageBitsPerSecond: BitRate
    /// For as long as a burst lasts; at least the average.
    public var peakBitsPerSecond: BitRate?
    /// How much may pass at the peak's rate, in whole KiB.
    public var burstBytes: ByteCount?

    public init(average: BitRate, peak: BitRate? = nil, burst: ByteCount? = nil) {
        averageBitsPerSecond = average
        peakBitsPerSecond = peak
        burstBytes = burst
    }
}
