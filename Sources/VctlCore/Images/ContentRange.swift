// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// Which part of the content a request sends: the value of `Content-Range`.
public struct ContentRange: Hashable, Sendable {
    /// The offset of the first byte.
    public var first: Int64
    /// The offset of the last byte.
    public var last: Int64
    /// The size of the whole, where it is known.
    public var total: Int64?

    /// A part from `first` to `last`, both included.
    public init(first: Int64, last: Int64, total: Int64? = nil) {
        self.first = first
        self.last = last
        self.total = total
    }

    /// Reads `bytes 0-99/200` and `bytes 0-99/*`.
    /// - Throws: ``Problem`` `request.invalid` for other texts, `request.range` for a range that is none.
    public init(header: String) throws(Problem) {
        let parts = header.split(separator: " ", maxSplits: 1)
        let halves = parts.count == 2 ? parts[1].split(separator: "/", omittingEmptySubsequences: false) : []
        let ends = halves.first?.split(separator: "-", omittingEmptySubsequences: false) ?? []
        guard parts.first?.lowercased() == "bytes", halves.count == 2, ends.count == 2,
            let first = Self.number(ends[0]), let last = Self.number(ends[1])
        else { throw Self.unreadable(header) }
        self.first = first
        self.last = last
        if halves[1] != "*" {
            guard let total = Self.number(halves[1]) else { throw Self.unreadable(header) }
            self.total = total
        }
        guard first <= last, last < total ?? .max else { throw Self.impossible(header) }
    }

    /// How many bytes it announces.
    public var count: Int64 { last - first + 1 }

    private static func number(_ text: Substring) -> Int64? {
        // 18 digits are less than the largest size there is.
        guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int64(text)
    }

    private static func unreadable(_ header: String) -> Problem {
        Problem(
            .requestInvalid, "Content-Range \"\(shown(header))\" is none",
            hint: "send it like: Content-Range: bytes 0-1048575/4194304",
            errors: [FieldProblem("Content-Range", "must be bytes FIRST-LAST/TOTAL")])
    }

    private static func impossible(_ header: String) -> Problem {
        Problem(
            .requestRange, "Content-Range \"\(shown(header))\" ends before it begins, or behind the total",
            hint: "send it like: Content-Range: bytes 0-1048575/4194304")
    }
}
