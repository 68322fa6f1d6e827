// SPDX-License-Identifier: Apache-2.0
import Synchronization

extension ManagedConnection {
    /// Opens, waits for the end, opens again; until cancelled.
    func supervise() async {
        var pause = configuration.firstRetry
        while !Task.isCancelled {
            do {
                let reason = try await serveOne { pause = self.configuration.firstRetry }
                lose(reason)
            } catch let error as LibvirtError {
                lose(error)
            } catch {
                return
            }
            do { try await Task.sleep(for: pause) } catch { return }
            pause = min(pause * 2, configuration.longestRetry)
        }
    }

    /// One connection's life.
    /// - Returns: why it ended.
    private func serveOne(opened: () -> Void) async throws -> LibvirtError {
        let connection = try await Connection.open(
            uri: configuration.uri, readOnly: configuration.readOnly, keepAlive: configuration.keepAlive)
        let subscription = try await EventSubscription.subscribe(to: connection) { [weak self] event in
            self?.publish(event)
        }
        defer {
            connection.close()
            subscription.cancel()
        }
        opened()
        try Task.checkCancellation()
        gain(connection)
        return try await connection.waitUntilClosed()
    }

    private func publish(_ event: LibvirtEvent) {
        inner.withLock { inner in
            for queue in inner.queues.values { queue.push(event) }
        }
    }

    private func gain(_ connection: Connection) {
        inner.withLock { inner in
            guard inner.state != .closed else { return }
            inner.current = connection
            inner.generation += 1
            inner.enter(.connected(generation: inner.generation))
            for queue in inner.queues.values { queue.push(.reconnected(generation: inner.generation)) }
        }
    }

    private func lose(_ error: LibvirtError) {
        let old = inner.withLock { inner -> [Connection] in
            guard inner.state != .closed else { return [] }
            let old = Array(inner.spare.values)
            if inner.current != nil {
                for queue in inner.queues.values { queue.push(.disconnected(error)) }
            }
            inner.current = nil
            inner.spare = [:]
            inner.enter(.disconnected(error))
            return old
        }
        for connection in old { connection.close() }
    }

    func finish() {
        let last = inner.withLock { inner in
            defer {
                inner.current = nil
                inner.spare = [:]
                inner.queues = [:]
                inner.watchers = [:]
            }
            inner.enter(.closed)
            return inner
        }
        last.current?.close()
        for connection in last.spare.values { connection.close() }
        for queue in last.queues.values { queue.finish() }
        // Not under the lock: ending a stream calls back here.
        for watcher in last.watchers.values { watcher.finish() }
    }
}

extension ManagedConnection.Inner {
    fileprivate mutating func enter(_ new: ManagedConnection.State) {
        state = new
        for watcher in watchers.values { watcher.yield(new) }
    }
}
