// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization

/// Something to wait for that may come from anywhere, and whose coming before the wait is not missed.
final class Signal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func send() { continuation.yield() }

    /// Waits for the signal, but not longer than `limit`, or until the task is cancelled. For one task.
    func wait(atMost limit: Duration) async {
        let stream = stream
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in stream { return } }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }
}

/// Tells of changes of files (inotify). Each watch tells once: a guest that prints without end must not cost
/// more than the reading of it.
final class FileWatch: Sendable {
    /// The one for all: its thread lives as long as the process.
    static let shared = FileWatch()

    private let descriptor: Int32
    private let armed = Mutex<[Int32: [ObjectIdentifier: Signal]]>([:])

    init() {
        descriptor = inotify_init1(Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { return }
        Thread.detachNewThread { [weak self] in self?.listen() }
    }

    /// How many are to be told.
    var count: Int { armed.withLock { $0.values.map(\.count).reduce(0, +) } }

    /// Sends the signal once the file is written to, or given another name.
    /// - Returns: what ``disarm(_:_:)`` takes; `nil` where nothing is watched.
    func arm(_ file: LogFile, _ signal: Signal) -> Int32? {
        guard descriptor >= 0 else { return nil }
        let events = UInt32(IN_MODIFY) | UInt32(IN_MOVE_SELF) | UInt32(IN_ATTRIB) | UInt32(IN_ONESHOT)
        // Adding and noting are one: between them the event could come and find nobody.
        return armed.withLock { armed in
            let watch = inotify_add_watch(descriptor, "/proc/self/fd/\(file.descriptor)", events)
            guard watch >= 0 else {
                signal.send()
                return nil
            }
            armed[watch, default: [:]][ObjectIdentifier(signal)] = signal
            return watch
        }
    }

    /// The signal is waited for no longer.
    func disarm(_ watch: Int32, _ signal: Signal) {
        armed.withLock { armed in
            // One that has told is gone already: the numbers of watches are not used again.
            guard armed[watch]?.removeValue(forKey: ObjectIdentifier(signal)) != nil,
                armed[watch]?.isEmpty == true
            else { return }
            armed[watch] = nil
            inotify_rm_watch(descriptor, watch)
        }
    }

    private func listen() {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            tell(Set(Self.watches(buffer[..<count])))
        }
    }

    private func tell(_ watches: Set<Int32>) {
        let signals = armed.withLock { armed in
            watches.flatMap { armed.removeValue(forKey: $0).map { Array($0.values) } ?? [] }
        }
        for signal in signals { signal.send() }
    }

    /// Each event begins with its watch, and has the length of its name at byte 12 (inotify(7)).
    private static func watches(_ events: ArraySlice<UInt8>) -> [Int32] {
        events.withUnsafeBytes { bytes in
            var result: [Int32] = []
            var at = 0
            while at + 16 <= bytes.count {
                result.append(bytes.loadUnaligned(fromByteOffset: at, as: Int32.self))
                at += 16 + Int(bytes.loadUnaligned(fromByteOffset: at + 12, as: UInt32.self))
            }
            return result
        }
    }
}
