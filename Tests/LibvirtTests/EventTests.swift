// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import Testing

@testable import Libvirt

@Suite struct EventTests {
    private func managed() async throws -> (ManagedConnection, Connection) {
        let managed = ManagedConnection(.init(uri: "test:///default"))
        return (managed, try await managed.waitUntilConnected())
    }

    @Test func comeInOrder() async throws {
        let (managed, connection) = try await managed()
        let uuid = UUID()
        let events = managed.events()
        let domain = try await connection.define(domain: domainXML(name: uniqueName("events"), uuid: uuid))
        for _ in 0..<100 {
            try await domain.start()
            try await domain.suspend()
            try await domain.resume()
            try await domain.destroy()
        }
        try await domain.undefine()
        var changes: [DomainLifecycle] = []
        for await event in events {
            guard let change = event.lifecycle(of: uuid) else { continue }
            changes.append(DomainLifecycle(number: change[0]))
            if changes.last == .undefined { break }
        }
        let round: [DomainLifecycle] = [.started, .suspended, .resumed, .stopped]
        var expected: [DomainLifecycle] = [.defined]
        for _ in 0..<100 { expected += round }
        expected.append(.undefined)
        #expect(changes == expected)
        managed.close()
    }

    @Test func beginWithTheConnection() async throws {
        let (managed, _) = try await managed()
        var iterator = managed.events().makeAsyncIterator()
        #expect(await iterator.next() == .reconnected(generation: 1))
        managed.close()
        #expect(await iterator.next() == nil)
    }

    @Test func ofNetworksAndPoolsCarryTheirNames() async throws {
        let (managed, connection) = try await managed()
        let events = managed.events()
        let name = uniqueName("object")
        let network = try await connection.define(network: networkXML(name: name))
        try await network.undefine()
        let pool = try await connection.define(storagePool: poolXML(name: name))
        try await pool.start()
        try await pool.refresh()
        try await pool.destroy()
        try await pool.undefine()
        var seen: [String] = []
        for await event in events {
            switch event {
            case .network(let object, let change) where object.uuid == network.uuid:
                seen.append("network \(object.name) \(change)")
            case .storagePool(let object, let change) where object.uuid == pool.uuid:
                seen.append("pool \(object.name) \(change)")
            default: continue
            }
            if seen.last == "pool \(name) undefined" { break }
        }
        #expect(
            seen == [
                "network \(name) defined", "network \(name) undefined", "pool \(name) defined",
                "pool \(name) started", "pool \(name) refreshed", "pool \(name) stopped",
                "pool \(name) undefined",
            ])
        managed.close()
    }

    @Test func ofMetadataCarryTheNamespace() async throws {
        let (managed, connection) = try await managed()
        let events = managed.events()
        let domain = try await connection.define(domain: domainXML(name: uniqueName("meta")))
        try await domain.setMetadata("<x/>", uri: "urn:test:events", key: "t", .config)
        for await event in events {
            guard case .domain(let object, .metadata(let type, let uri)) = event, object.uuid == domain.uuid
            else {
                continue
            }
            #expect(type == 2)
            #expect(uri == "urn:test:events")
            break
        }
        try await domain.undefine()
        managed.close()
    }

    @Test func reachEveryReader() async throws {
        let (managed, connection) = try await managed()
        let uuid = UUID()
        let readers = [managed.events(), managed.events(), managed.events()]
        let domain = try await connection.define(domain: domainXML(name: uniqueName("many"), uuid: uuid))
        try await domain.undefine()
        for reader in readers {
            var changes = 0
            for await event in reader where event.lifecycle(of: uuid) != nil {
                changes += 1
                if changes == 2 { break }
            }
            #expect(changes == 2)
        }
        managed.close()
    }

    @Test func aDroppedStreamIsForgotten() async throws {
        let (managed, _) = try await managed()
        do {
            var iterator = managed.events().makeAsyncIterator()
            _ = await iterator.next()
            #expect(managed.inner.withLock { $0.queues.count } == 1)
        }
        let forgotten = await eventually { managed.inner.withLock { $0.queues.isEmpty } }
        #expect(forgotten)
        managed.close()
    }
}

@Suite struct EventQueueTests {
    @Test func keepsTheOrder() async {
        let queue = EventQueue(limit: 10)
        for generation in 1...3 { queue.push(.reconnected(generation: UInt64(generation))) }
        for generation in 1...3 {
            #expect(await queue.next() == .reconnected(generation: UInt64(generation)))
        }
    }

    @Test func saysThatItOverflowed() async {
        let queue = EventQueue(limit: 3)
        for generation in 1...4 { queue.push(.reconnected(generation: UInt64(generation))) }
        queue.push(.reconnected(generation: 5))
        queue.finish()
        #expect(await queue.next() == .overflow)
        #expect(await queue.next() == .reconnected(generation: 5))
        #expect(await queue.next() == nil)
    }

    @Test func cancellingTheReaderEndsIt() async {
        let queue = EventQueue(limit: 3)
        let reader = Task { await queue.next() }
        reader.cancel()
        #expect(await reader.value == nil)
        queue.push(.overflow)
        #expect(await queue.next() == nil)
    }

    @Test func aWaitingReaderGetsTheEvent() async {
        let queue = EventQueue(limit: 3)
        async let event = queue.next()
        await Task.yield()
        queue.push(.overflow)
        #expect(await event == .overflow)
    }
}
