// SPDX-License-Identifier: Apache-2.0
import Foundation
import Logging
import Synchronization
import Testing
import VctlAPI

@testable import VctlCore

struct DoctorTests {
    private struct Check: HostCheck {
        var name: String
        var deadline = Duration.seconds(60)
        let body: @Sendable () async throws -> [Note]

        init(
            _ name: String, deadline: Duration = .seconds(60),
            _ body: @Sendable @escaping () async throws -> [Note]
        ) {
            (self.name, self.deadline, self.body) = (name, deadline, body)
        }

        func notes() async throws -> [Note] { try await body() }
    }

    @Test func findingsComeInTheOrderOfTheChecks() async {
        let slow = Check("slow") {
            try await Task.sleep(for: .milliseconds(200))
            return [.ok("late"), .warning("but bad", "mend it")]
        }
        let findings = await Doctor([slow, Check("quick") { [.ok("at once")] }]).findings()
        #expect(
            findings == [
                Finding(check: "slow", status: .ok, message: "late"),
                Finding(check: "slow", status: .warning, message: "but bad", hint: "mend it"),
                Finding(check: "quick", status: .ok, message: "at once"),
            ])
    }

    @Test func aCheckThatHangsHoldsUpNoOtherAndIsNotRunTwice() async {
        let runs = Mutex(0)
        let gate = DispatchSemaphore(value: 0)
        let stuck = Check("stuck", deadline: .milliseconds(100)) {
            runs.withLock { $0 += 1 }
            // As a read that cannot be cancelled: of a folder on a file server that is gone.
            try await Blocking.run { gate.wait() }
            return [.ok("in the end")]
        }
        let doctor = Doctor([stuck, Check("free") { [.ok("fine")] }])
        let first = await doctor.findings()
        #expect(first.map(\.status) == [.unknown, .ok])
        #expect(first[0].message.hasPrefix("no answer within"))
        let second = await doctor.findings()
        #expect(second[0].message == "an earlier look at it has not ended yet")
        #expect(runs.withLock { $0 } == 1)
        gate.signal()
        gate.signal()
        #expect(await eventually { await doctor.findings()[0].message == "in the end" })
    }

    @Test func whatACheckCannotFindOutIsUnknown() async {
        let failing = Check("tool") {
            try await Tool("/bin/sh", ["-c", "echo no such thing >&2; exit 3"]).run()
            return []
        }
        let finding = await Doctor([failing]).findings()[0]
        #expect(finding.status == .unknown && finding.message.contains("no such thing"))
    }

    @Test func everyCheckOfAHostHasItsOwnNameAndAnAnswer() async throws {
        let state = try TemporaryFolder()
        let core = try await Core(
            CoreConfiguration(stateDirectory: state("state"), uri: "test:///default", allowedPaths: []),
            logger: Logger(label: "test"))
        try await core.start()
        let json = try await core.host.examine(ListQuery()).json
        let findings = try JSON.value([Finding].self, json)
        await core.shutdown()
        var names: [String] = []
        for finding in findings where names.last != finding.check { names.append(finding.check) }
        #expect(Set(names).count == names.count && names.count >= 20)
        #expect(findings.allSatisfy { !$0.message.isEmpty })
        // What is wrong comes with what mends it, and what is right with nothing to do.
        #expect(
            findings.allSatisfy {
                [.warning, .critical].contains($0.status) == ($0.hint != nil) || $0.status == .unknown
            })
    }
}
