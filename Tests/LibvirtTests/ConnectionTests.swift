// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Libvirt

@Suite struct ConnectionTests {
    @Test func tellsAboutItsHost() async throws {
        let connection = try await openTest()
        #expect(try await connection.isAlive())
        #expect(try await connection.hypervisorType() == "TEST")
        #expect(try await connection.libraryVersion() >= LibvirtVersion(9, 0))
        #expect(try await connection.canonicalURI() == "test:///default")
        #expect(try await !connection.hostname().isEmpty)
        #expect(try await connection.capabilities().hasPrefix("<capabilities>"))
        let node = try await connection.nodeInfo()
        #expect(node.cpus > 0 && node.memoryKibibytes > 0 && !node.model.isEmpty)
    }

    @Test func versionsHaveThreeParts() {
        let version = LibvirtVersion(rawValue: 9_000_004)
        #expect([version.major, version.minor, version.release] == [9, 0, 4])
        #expect(version.description == "9.0.4")
        #expect(LibvirtVersion(9, 10) < LibvirtVersion(10, 0))
    }

    @Test func aClosedOneRefusesCalls() async throws {
        let connection = try await openTest()
        let domain = try await connection.domain(name: "test")
        connection.close()
        #expect(await libvirtError { _ = try await connection.hostname() }?.code == .noConnect)
        #expect(await libvirtError { _ = try await domain.info() }?.code == .noConnect)
        #expect(try await connection.waitUntilClosed().code == .noConnect)
    }

    @Test func waitingForItsEndCanBeCancelled() async throws {
        let connection = try await openTest()
        let waiting = Task { try await connection.waitUntilClosed() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        #expect(connection.closed == nil)
    }

    @Test func inATaskOfOneHopTheCallsStayOnTheThread() async throws {
        let connection = try await openTest()
        try await withTaskExecutorPreference(LibvirtExecutor.shared) {
            for _ in 0..<100 { _ = try await connection.nodeInfo() }
            #expect(LibvirtExecutor.current === LibvirtExecutor.shared)
        }
    }
}
