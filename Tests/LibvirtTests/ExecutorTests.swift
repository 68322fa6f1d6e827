// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization
import Testing

@testable import Libvirt

@Suite struct ExecutorTests {
    @Test func callsRunOnThreadsOfTheirOwn() async throws {
        #expect(LibvirtExecutor.current == nil)
        let connection = try await openTest()
        let onShared = try await connection.call { _ in LibvirtExecutor.current === LibvirtExecutor.shared }
        #expect(onShared)
        let long = try await openTest(executor: .long)
        let onLong = try await long.call { _ in LibvirtExecutor.current === LibvirtExecutor.long }
        #expect(onLong)
        #expect(LibvirtExecutor.current == nil)
    }

    @Test func fromAnActorTheyRunThereToo() async throws {
        actor Somebody {
            func ask(_ connection: Connection) async throws -> Bool {
                try await connection.call { _ in LibvirtExecutor.current === LibvirtExecutor.shared }
            }
        }
        #expect(try await Somebody().ask(openTest()))
    }

    @MainActor @Test func fromTheMainActorTheyRunThereToo() async throws {
        let connection = try await openTest()
        let onShared = try await connection.call { _ in LibvirtExecutor.current === LibvirtExecutor.shared }
        #expect(onShared)
    }

    @Test func aLongCallLeavesTheShortExecutor() async throws {
        let long = try await openTest(executor: .long)
        let moved = try await withTaskExecutorPreference(LibvirtExecutor.shared) {
            try await long.call { _ in LibvirtExecutor.current === LibvirtExecutor.long }
        }
        #expect(moved)
    }

    @Test func aCallerOnTheLongExecutorStaysThere() async throws {
        let short = try await openTest()
        let stayed = try await withTaskExecutorPreference(LibvirtExecutor.long) {
            try await short.call { _ in LibvirtExecutor.current === LibvirtExecutor.long }
        }
        #expect(stayed)
    }

    /// Every thread of the executor blocks until the other tasks ran: if blocking calls used the cooperative
    /// pool, this would never end.
    @Test func blockedCallsDoNotStopOtherTasks() async throws {
        let barrier = Barrier()
        let calls = (0..<4).map { _ in
            Task { try await LibvirtExecutor.shared.run { barrier.block() } }
        }
        let allBlocked = await eventually { barrier.blocked == 4 }
        #expect(allBlocked)
        let others = await withTaskGroup(of: Int.self) { group in
            for index in 0..<100 { group.addTask { index } }
            return await group.reduce(0, +)
        }
        #expect(others == 4950)
        barrier.open()
        for call in calls { try await call.value }
    }

    @Test func threadsComeWithTheCallsThatBlock() async throws {
        let barrier = Barrier()
        let executor = LibvirtExecutor(threads: 1, most: 6)
        let calls = (0..<9).map { _ in Task { try await executor.run { barrier.block() } } }
        let manyBlocked = await eventually { barrier.blocked == 6 }
        #expect(manyBlocked)
        barrier.open()
        for call in calls { try await call.value }
        #expect(barrier.blocked == 9)
    }

    @Test func errorsComeThrough() async {
        await #expect(throws: LibvirtError.notConnected("x")) {
            try await LibvirtExecutor.shared.run { throw LibvirtError.notConnected("x") }
        }
    }

    @Test func theQueueKeepsItsOrder() {
        var queue = FIFO<Int>()
        var out: [Int] = []
        for number in 0..<1_000 {
            queue.append(number)
            if number.isMultiple(of: 3), let first = queue.popFirst() { out.append(first) }
        }
        while let next = queue.popFirst() { out.append(next) }
        #expect(out == Array(0..<1_000))
        #expect(queue.isEmpty)
    }
}

/// Blocks threads until it is opened.
private final class Barrier: Sendable {
    private let semaphore = Semaphore()
    private let count = Mutex(0)

    var blocked: Int { count.withLock { $0 } }

    func block() {
        count.withLock { $0 += 1 }
        semaphore.wait()
        semaphore.signal()
    }

    func open() {
        semaphore.signal()
    }
}
