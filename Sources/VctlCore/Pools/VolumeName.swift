// SPDX-License-Identifier: Apache-2.0

/// What a volume is called: its pool's name and its own. Names are equal byte by byte.
struct VolumeName: Hashable, Sendable {
    let pool: String
    let name: String

    init(pool: String, name: String) { (self.pool, self.name) = (pool, name) }

    /// From ``full``: no pool has a slash in its name.
    init(_ full: String) {
        let slash = full.utf8.firstIndex(of: UInt8(ascii: "/")) ?? full.endIndex
        pool = String(full[..<slash])
        name = String(Substring(full.utf8[slash...].dropFirst()))
    }

    /// As commands and the API write it.
    var full: String { "\(pool)/\(name)" }

    static func == (left: VolumeName, right: VolumeName) -> Bool {
        ExactName(left.full) == ExactName(right.full)
    }

    func hash(into hasher: inout Hasher) { hasher.combine(ExactName(full)) }
}

/// A name as the kernel and SQLite compare it, byte by byte: two files may have names that Swift takes for
/// the same text.
struct ExactName: Hashable, Comparable, Sendable {
    private let bytes: [UInt8]

    init(_ name: String) { bytes = Array(name.utf8) }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    static func < (left: ExactName, right: ExactName) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}
