// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Glibc
import Synchronization

/// Signals that end the daemon.
final class Signals: Sendable {
    private let sources: Mutex<[any DispatchSourceSignal]> = Mutex([])
    private let stream: AsyncStream<Int32>
    private let continuation: AsyncStream<Int32>.Continuation

    /// From now on SIGTERM and SIGINT are only noted, and SIGPIPE is ignored: a client that left is an error of its
    /// write, and not our end.
    init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        signal(SIGPIPE, SIG_IGN)
        for number in [SIGTERM, SIGINT] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [continuation] in continuation.yield(number) }
            source.activate()
            sources.withLock { $0.append(source) }
        }
    }

    /// Waits for the first of them.
    func first() async {
        for await _ in stream { return }
    }
}
