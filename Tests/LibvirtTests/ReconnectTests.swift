// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Libvirt

/// With a real libvirtd, that is killed and started again.
@Suite(.serialized) struct ReconnectTests {
    private func fast(_ uri: String) -> ManagedConnection {
        var configuration = ManagedConnection.Configuration(uri: uri)
        configuration.firstRetry = .milliseconds(20)
        configuration.longestRetry = .milliseconds(100)
        return ManagedConnection(configuration)
    }

    @Test func comesBackAfterEveryRestart() async throws {
        try await withPrivateDaemon { daemon in
            let managed = self.fast(daemon.testURI)
            let events = managed.events()
            _ = try await managed.waitUntilConnected()
            for round in 1...5 {
                let old = try managed.connection()
                await daemon.stop(round.isMultiple(of: 2) ? SIGTERM : SIGKILL)
                #expect(try await old.waitUntilClosed().code == .noConnect)
                let lost = await eventually { if case .disconnected = managed.state { true } else { false } }
                #expect(lost)
                #expect(throws: LibvirtError.self) { try managed.connection() }
                #expect(await libvirtError { _ = try await managed.longConnection() }?.code == .noConnect)
                #expect(await libvirtError { _ = try await old.hostname() }?.code == .noConnect)
                try await daemon.start()
                _ = try await managed.waitUntilConnected()
                #expect(managed.generation == UInt64(round + 1))
            }
            try await self.checkEvents(events, managed)
            managed.close()
        }
    }

    /// Each connection announces itself, and the last one brings events.
    private func checkEvents(_ events: AsyncStream<LibvirtEvent>, _ managed: ManagedConnection) async throws {
        let uuid = UUID()
        let domain = try await managed.connection().define(domain: domainXML(name: "after", uuid: uuid))
        try await domain.undefine()
        var seen: [String] = []
        for await event in events {
            switch event {
            case .reconnected(let generation): seen.append("+\(generation)")
            case .disconnected: seen.append("-")
            default: if let change = event.lifecycle(of: uuid) { seen.append("event \(change[0])") }
            }
            if seen.last == "event 1" { break }
        }
        let rounds = (2...6).flatMap { ["-", "+\($0)"] }
        #expect(seen == ["+1"] + rounds + ["event 0", "event 1"])
    }

    @Test func statesAreToldAndClosingEndsAll() async throws {
        try await withPrivateDaemon { daemon in
            let managed = self.fast(daemon.testURI)
            var states = managed.states().makeAsyncIterator()
            var first = await states.next()
            if first == .connecting { first = await states.next() }
            #expect(first == .connected(generation: 1))
            await daemon.stop()
            guard case .disconnected(let error)? = await states.next() else {
                Issue.record("not told that the connection is lost")
                return
            }
            #expect(error.code == .noConnect)
            managed.close()
            var last = await states.next()
            while let state = last, state != .closed { last = await states.next() }
            #expect(last == .closed)
            #expect(await states.next() == nil)
            #expect(await libvirtError { _ = try await managed.waitUntilConnected() }?.code == .noConnect)
        }
    }

    @Test func withoutADaemonItFailsAtOnceAndFindsItLater() async throws {
        let daemon = try PrivateDaemon()
        let managed = fast(daemon.testURI)
        let refused = await eventually { if case .disconnected = managed.state { true } else { false } }
        #expect(refused)
        #expect(throws: LibvirtError.self) { try managed.connection() }
        try await daemon.start()
        _ = try await managed.waitUntilConnected()
        managed.close()
        await daemon.close()
    }

    @Test func callsAboutPoolsHaveConnectionsOfTheirOwn() async throws {
        try await withPrivateDaemon { daemon in
            let managed = self.fast(daemon.testURI)
            let main = try await managed.waitUntilConnected()
            let long = try await managed.longConnection()
            let (questions, changes) = (
                try await managed.spare(.pools), try await managed.spare(.poolChanges)
            )
            #expect(Set([main, long, questions, changes].map { ObjectIdentifier($0) }).count == 4)
            #expect(questions.executor === LibvirtExecutor.storage)
            #expect(changes.executor === LibvirtExecutor.storage)
            #expect(try await managed.spare(.pools) === questions)
            managed.close()
        }
    }

    @Test func longCallsHaveAConnectionOfTheirOwn() async throws {
        try await withPrivateDaemon { daemon in
            let managed = self.fast(daemon.testURI)
            let main = try await managed.waitUntilConnected()
            let long = try await managed.longConnection()
            #expect(long !== main)
            #expect(long.executor === LibvirtExecutor.long)
            #expect(try await managed.longConnection() === long)
            long.abandon()
            let next = try await managed.longConnection()
            #expect(next !== long)
            #expect(try await next.isAlive())
            #expect(try await main.isAlive())
            managed.close()
        }
    }

    /// The daemon stands still: without help the call would wait for ever.
    @Test func aHangingCallEndsAtItsDeadline() async throws {
        try await withPrivateDaemon { daemon in
            let connection = try await Connection.open(uri: daemon.testURI, keepAlive: nil)
            daemon.pause()
            let error = await libvirtError {
                try await connection.abandoning(after: .milliseconds(100)) {
                    _ = try await connection.hostname()
                }
            }
            #expect(error != nil)
            #expect(connection.closed?.code == .noConnect)
            daemon.resume()
        }
    }

    @Test func aCallInTimeIsNotAbandoned() async throws {
        try await withPrivateDaemon { daemon in
            let connection = try await Connection.open(uri: daemon.testURI)
            let name = try await connection.abandoning(after: .seconds(600)) {
                try await connection.hostname()
            }
            #expect(!name.isEmpty)
            #expect(connection.closed == nil)
        }
    }

    @Test func aSilentDaemonIsNoticed() async throws {
        try await withPrivateDaemon { daemon in
            let connection = try await Connection.open(
                uri: daemon.testURI, keepAlive: Connection.KeepAlive(interval: 1, count: 1))
            daemon.pause()
            #expect(try await connection.waitUntilClosed().code == .noConnect)
            daemon.resume()
        }
    }

    @Test func closedConnectionsAreReallyClosed() async throws {
        try await withPrivateDaemon { daemon in
            for _ in 0..<50 {
                let managed = self.fast(daemon.testURI)
                _ = try await managed.waitUntilConnected()
                _ = try await managed.longConnection()
                managed.close()
            }
            let closed = try await eventually { try daemon.clients() == 0 }
            #expect(closed)
        }
    }

    /// Each of libvirt's handles holds the connection open: one that is not given back would be seen.
    @Test func handlesAreGivenBack() async throws {
        try await withPrivateDaemon { daemon in
            for round in 0..<20 {
                try await self.useEverything(daemon, round)
            }
            let closed = try await eventually { try daemon.clients() == 0 }
            #expect(closed)
        }
    }

    private func useEverything(_ daemon: PrivateDaemon, _ round: Int) async throws {
        let connection = try await Connection.open(uri: daemon.testURI)
        #expect(try daemon.clients() >= 1)
        let domain = try await connection.domain(name: "test")
        _ = try await connection.domains()
        _ = try await connection.statistics(.state)
        _ = try await connection.domainRecords()
        _ = try await domain.createSnapshot("<domainsnapshot><name>s\(round)</name></domainsnapshot>")
        _ = try await domain.snapshots()
        _ = try await domain.currentSnapshot()?.parent()
        _ = try await connection.networks()
        _ = try await connection.networkRecords()
        let pool = try #require(await connection.storagePools().first)
        let volume = try await pool.createVolume(volumeXML(name: "v\(round)"))
        #expect(try await volume.pool().uuid == pool.uuid)
        _ = try await pool.volumeRecords()
        _ = try await domain.screenshot()
        #expect(await libvirtError { _ = try await connection.domain(name: "none") }?.code == .noDomain)
    }
}
