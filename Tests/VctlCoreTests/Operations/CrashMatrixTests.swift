// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import Testing
import VctlAPI

@testable import VctlCore

/// Kills the daemon, inside the process, at every point of the journal of every kind of operation; starts a
/// new one over what is left; and compares the world with that of a run that nothing happened to.
@Suite(.serialized) struct CrashMatrixTests {
    @Test func everyKindHasAScenario() async throws {
        let core = try await Bench().core()
        let shown = Set(Scenario.all.map(\.kind))
        #expect(Set(core.engine.kindNames) == shown)
    }

    @Test(arguments: Scenario.all) func deathGoesUnnoticed(_ scenario: Scenario) async throws {
        let whole = try await run(scenario, on: try await Bench())
        #expect(whole.points.count >= 4, "the scenario passes no steps")
        for index in whole.points.indices {
            let crashed = try await run(scenario, on: try await Bench(), dieAt: index)
            #expect(crashed.died, "point \(index) was not reached")
            #expect(crashed.world == whole.world, "died at \(whole.points[index].words)")
        }
    }

    @Test(arguments: Scenario.all) func cancelLeavesNothing(_ scenario: Scenario) async throws {
        let steps = try await run(scenario, on: try await Bench()).points.filter(\.isRecorded)
        let isUndone = try await Bench().core().engine.undoneKindNames.contains(scenario.kind)
        for key in steps.map(\.key) {
            let cancelled = try await run(scenario, on: try await Bench(), cancelAfter: key)
            // Past the point of no return, and after the last step, a cancel has no effect.
            guard cancelled.status == .cancelled else { continue }
            if isUndone { #expect(cancelled.settled == cancelled.before, "cancelled after \(key)") }
            try await dieWhileUndoing(scenario, cancelled, key)
        }
    }

    /// Deaths on the way forward are the other test's.
    private func dieWhileUndoing(_ scenario: Scenario, _ cancelled: Run, _ key: String) async throws {
        for index in cancelled.points.indices where cancelled.points[index].isBackward {
            let crashed = try await run(scenario, on: try await Bench(), dieAt: index, cancelAfter: key)
            #expect(crashed.status == .cancelled)
            #expect(
                crashed.world == cancelled.world,
                "cancelled after \(key), died at \(cancelled.points[index].words)")
        }
    }

    /// What one run came to.
    private struct Run {
        var points: [JournalPoint]
        var died: Bool
        var status: OperationStatus?
        /// The world before the request, without operations and events.
        var before: [String]
        var settled: [String]
        var world: [String]
    }

    private func run(
        _ scenario: Scenario, on bench: Bench, dieAt: Int? = nil, cancelAfter: String? = nil
    ) async throws -> Run {
        let setup = try await bench.core()
        try await scenario.prepare(bench, setup)
        let before = try await bench.world(setup).filter(Self.isLasting)
        try setup.inventory.close()
        let recorder = Recorder(dieAt: dieAt, cancelAfter: cancelAfter)
        let first = try await bench.core { recorder.pass($0) }
        recorder.engine.withLock { $0 = first.engine }
        let id = try await scenario.act(bench, first)
        await first.engine.idle()
        try first.inventory.close()
        let second = try await bench.core()
        try await second.engine.resume()
        await second.engine.idle()
        let status = try await second.operations.get(.id(id)).status
        let world = try await bench.world(second)
        try second.inventory.close()
        return Run(
            points: recorder.points.withLock { $0 }, died: recorder.died.withLock { $0 }, status: status,
            before: before, settled: world.filter(Self.isLasting), world: world)
    }

    private static func isLasting(_ line: String) -> Bool {
        !["event ", "event-reserve", "operation ", "step "].contains { line.hasPrefix($0) }
    }
}

/// Notes every point, and dies or cancels where it is told.
private final class Recorder: Sendable {
    let points = Mutex<[JournalPoint]>([])
    let died = Mutex(false)
    let engine = Mutex<OperationEngine?>(nil)
    private let dieAt: Int?
    private let cancelAfter: String?

    init(dieAt: Int?, cancelAfter: String?) {
        self.dieAt = dieAt
        self.cancelAfter = cancelAfter
    }

    func pass(_ point: JournalPoint) -> Bool {
        let index = points.withLock { points in
            points.append(point)
            return points.count - 1
        }
        if case .recorded(let id, let key) = point, key == cancelAfter {
            engine.withLock { $0 }?.interrupt(id)
        }
        guard index == dieAt else { return false }
        died.withLock { $0 = true }
        return true
    }
}

extension JournalPoint {
    var key: String {
        switch self {
        case .beforeStep(_, let key), .afterStep(_, let key), .recorded(_, let key), .beforeUndo(_, let key),
            .afterUndo(_, let key):
            key
        case .beforeEnd: "end"
        }
    }

    var isRecorded: Bool { if case .recorded = self { true } else { false } }
    var isBackward: Bool {
        switch self {
        case .beforeUndo, .afterUndo, .beforeEnd: true
        case .beforeStep, .afterStep, .recorded: false
        }
    }

    var words: String { "\(self)".split(separator: "(").first.map { "\($0) \(key)" } ?? key }
}
