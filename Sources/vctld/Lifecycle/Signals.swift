// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Glibc

/// Signals that end the daemon.
final class Signals {
    private var sources: [any DispatchSourceSignal] = []
    private let stream: AsyncStream<Int32>

    /// From now on SIGTERM and SIGINT are only noted, and SIGPIPE is ignored: a client that left is an error
    /// of its write, and not our end.
    init() {
        let (stream, continuation) = AsyncStream<Int32>.makeStream(bufferingPolicy: .bufferingNewest(1))
        self.stream = stream
        signal(SIGPIPE, SIG_IGN)
        for number in [SIGTERM, SIGINT] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(number) }
            source.activate()
            sources.append(source)
        }
    }

    /// Waits for the first of them.
    func first() async {
        for await _ in stream { return }
    }
}
