// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Synchronization

/// A number, in a file of its own, that no event has reached: when the database is lost, events go on above
/// it, so that none is ever given twice.
final class SequenceReserve: Sendable {
    private static let block: Int64 = 10_000
    private let path: String
    private let reserved: Mutex<Int64>

    init(path: String) {
        self.path = path
        let text = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
        reserved = Mutex(text.flatMap { Int64($0.trimmingCharacters(in: .whitespacesAndNewlines)) } ?? 0)
    }

    /// What the file says.
    var value: Int64 { reserved.withLock { $0 } }

    /// Makes the reserve larger than `sequence` before its event is committed.
    func cover(_ sequence: Int64) throws {
        try reserved.withLock { reserved in
            guard sequence >= reserved else { return }
            let next = (sequence / Self.block + 1) * Self.block
            try DurableFile.write(Array("\(next)\n".utf8), to: path, mode: 0o600)
            reserved = next
        }
    }
}
