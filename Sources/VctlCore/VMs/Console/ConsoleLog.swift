// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// The kept log of a serial console as a stream of its bytes, through rotations too. Readers share nothing:
/// one that is slow holds up neither the guest nor the others, and needs no memory.
public struct ConsoleLog: AsyncSequence, Sendable {
    let kept: KeptLog
    /// Begin with the last so many bytes; `nil`: with all that is kept.
    let tail: Int64?
    /// Whether more can come; asked at each end of the file. `nil`: the end of the file is the end.
    let goesOn: (@Sendable () async -> Bool)?
    var watch = FileWatch.shared

    public func makeAsyncIterator() -> Iterator { Iterator(log: self) }

    /// Reads piece by piece.
    public struct Iterator: AsyncIteratorProtocol {
        private let log: ConsoleLog
        /// The file that is read, and those behind it.
        private var files: [LogFile]
        private var offset: Int64 = 0
        private let changed = Signal()
        private var lastPiece = ContinuousClock.now - .seconds(1)
        private var silences = 0

        /// virtlogd may still write when libvirt says that the VM is off: so many looks more.
        static let lastLooks = 30

        init(log: ConsoleLog) {
            self.log = log
            files = log.kept.files()
            offset = files.first?.start ?? 0
            if let tail = log.tail { skip(to: tail) }
        }

        private mutating func skip(to tail: Int64) {
            var surplus = files.map { $0.end - $0.start }.reduce(0, +) - tail
            while surplus > 0, let file = files.first {
                let length = file.end - file.start
                guard surplus >= length, files.count > 1 else {
                    offset += Swift.min(surplus, length)
                    return
                }
                surplus -= length
                files.removeFirst()
                offset = files[0].start
            }
        }

        /// The next bytes; `nil` at the end.
        /// - Throws: ``Problem`` `console.overrun` when the log has lost what was not yet read.
        public mutating func next() async throws -> [UInt8]? {
            while !Task.isCancelled {
                if let bytes = try piece() {
                    silences = 0
                    return bytes
                }
                if try advance() { continue }
                guard let goesOn = log.goesOn else { return nil }
                if await goesOn() {
                    try await waitForMore(changed, atMost: .milliseconds(500))
                } else {
                    silences += 1
                    guard silences <= Self.lastLooks else { return nil }
                    try await Task.sleep(for: ConsoleLog.pause)
                }
            }
            return nil
        }

        /// The next bytes, if there are any now.
        mutating func poll() throws -> [UInt8]? {
            repeat {
                if let bytes = try piece() { return bytes }
            } while try advance()
            return nil
        }

        private mutating func piece() throws -> [UInt8]? {
            guard let file = files.first else { return nil }
            let bytes = try file.read(at: offset)
            guard !bytes.isEmpty else { return nil }
            let start = file.start
            if start > offset {
                guard log.goesOn == nil else { throw ConsoleLog.overrun }
                offset = start
                return try piece()
            }
            offset += Int64(bytes.count)
            return bytes
        }

        /// Goes to the next file; `false` where this one is the newest.
        private mutating func advance() throws -> Bool {
            guard let file = files.first else {
                files = log.kept.files()
                offset = files.first?.start ?? 0
                return !files.isEmpty
            }
            if files.count == 1 {
                guard log.goesOn != nil, let newest = LogFile.inode(of: log.kept.path), newest != file.inode
                else { return false }
                guard let behind = log.kept.files(after: file) else { throw ConsoleLog.overrun }
                files += behind
                // What was written between the last read and the renaming.
                if offset < file.end || behind.isEmpty { return !behind.isEmpty }
            }
            files.removeFirst()
            offset = files[0].start
            return true
        }

        /// Waits for a change, or for the signal from elsewhere.
        mutating func waitForMore(_ changed: Signal, atMost limit: Duration) async throws {
            let early = lastPiece + ConsoleLog.pause - .now
            if early > .zero { try await Task.sleep(for: early) }
            defer { lastPiece = .now }
            guard let file = files.first else { return await changed.wait(atMost: .milliseconds(100)) }
            let armed = log.watch.arm(file, changed)
            defer { if let armed { log.watch.disarm(armed, changed) } }
            // What came before the watch was set is no change.
            if file.end <= offset { await changed.wait(atMost: limit) }
        }
    }

    /// What a guest prints byte by byte is passed on in pieces: no more often than this.
    static let pause = Duration.milliseconds(10)

    static let overrun = Problem(
        .consoleOverrun, "this reader was too slow: more was printed than is kept",
        hint: "read faster, or keep more: console.log_bytes")
}
