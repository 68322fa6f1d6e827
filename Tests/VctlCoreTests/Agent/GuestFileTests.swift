// SPDX-License-Identifier: Apache-2.0
import Testing
import VctlAPI

@testable import VctlCore

/// What is known of a guest without asking it.
@Suite struct GuestFileTests {
    private func refusal(_ body: () async throws -> Void) async throws -> Problem {
        do {
            try await body()
        } catch let problem as Problem {
            return problem
        }
        throw Problem(.internalError, "it was not refused")
    }

    @Test func aDryRunLooksAtAllThatCouldStopIt() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        try await bench.make("web", on: core)
        let ways: [(name: String, path: String, mode: String?, code: ErrorCode)] = [
            ("web", "x", nil, .requestInvalid),
            ("web", "/x", "9", .requestInvalid), ("web", "/x", "0644", .vmState),
        ]
        for way in ways {
            var context = bench.context("vm.file.push")
            context.dryRun = true
            let problem = try await refusal { [context] in
                _ = try await core.vms.previewPush(.name(way.name), way.path, mode: way.mode, context)
            }
            #expect(problem.errorCode == way.code, "\(way)")
        }
        try core.inventory.close()
    }

    @Test func theHintAboutALogIsTrue() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        try await bench.make("web", on: core)
        let problem = try await refusal {
            _ = try await core.vms.consoleLog(.name("web"), follow: false, tail: nil)
        }
        #expect(problem.errorCode == .vmNoConsole)
        #expect(problem.hint?.contains("keep one from their first start on") == true)
        try core.inventory.close()
    }
}
