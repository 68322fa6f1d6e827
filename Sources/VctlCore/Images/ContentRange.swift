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
    /// - Throws: ``Problem`` `request.range`.
    public init(header: String) throws(Problem) {
        let parts = header.split(separator: " ", maxSplits: 1)
        let halves = parts.count == 2 ? parts[1].split(separator: "/", omittingEmptySubsequences: false) : []
        let ends = halves.first?.split(separator: "-", omittingEmptySubsequences: false) ?? []
        guard parts.first?.lowercased() == "bytes", halves.count == 2, ends.count == 2,
            let first = Self.number(ends[0]), let last = Self.number(ends[1]), first <= last
        else { throw Self.unreadable(header) }
        self.first = first
        self.last = last
        guard halves[1] != "*" else { return }
        guard let total = Self.number(halves[1]), last < total else { throw Self.unreadable(header) }
        self.total = total
    }

    /// How many bytes it announces.
    public var count: Int64 { last - first + 1 }

    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(text).flatMap { $0 <= ByteCount.maximum ? $0 : nil }
    }

    private static func unreadable(_ header: String) -> Problem {
        Problem(
            .requestInvalid, "Content-Range \"\(shown(header))\" is none",
            hint: "send it like: Content-Range: bytes 0-1048575/4194304",
            errors: [FieldProblem("Content-Range", "bytes FIRST-LAST/TOTAL")])
    }
}
