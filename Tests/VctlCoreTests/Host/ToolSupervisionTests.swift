// SPDX-License-Identifier: Apache-2.0
import Foundation
import HostNet
import Testing

@testable import VctlCore

/// A tool ends with the process that runs it, and not before.
struct ToolSupervisionTests {
    /// The dying process and the test that watches it agree on these.
    private static let runName = "vctl-test parent death"
    private static let recordPath = "/tmp/vctl-test-parent-death.json"

    @Test func toolDiesWithTheProcessThatRanIt() async throws {
        #expect(await ProcessRecord.endAll(run: Self.runName))
        try? FileManager.default.removeItem(atPath: Self.recordPath)
        defer { try? FileManager.default.removeItem(atPath: Self.recordPath) }
        await #expect(processExitsWith: .signal(SIGKILL)) {
            // A child that ignores what is polite, in a group of its own as every tool is.
            var tool = Tool("sh", ["-c", "trap '' TERM HUP INT PIPE; while :; do sleep 1000; done"])
            tool.run = ToolSupervisionTests.runName
            try await tool.run(onStart: { record in
                // Once it is past its wrapper: then the signal is set.
                guard await eventually({ ToolSupervisionTests.isShell(record.pid) }), record.isAlive else {
                    return
                }
                let data = try JSONEncoder().encode(record)
                try data.write(to: URL(fileURLWithPath: ToolSupervisionTests.recordPath))
                kill(getpid(), SIGKILL)
            })
        }
        let data = try Data(contentsOf: URL(fileURLWithPath: Self.recordPath))
        let record = try JSONDecoder().decode(ProcessRecord.self, from: data)
        #expect(record.startTime != nil)
        #expect(await eventually { !record.isAlive })
        // The kernel does not kill what the tool itself had started; a replay ends it by the name.
        #expect(await ProcessRecord.endAll(run: Self.runName))
        #expect(ProcessRecord.find(run: Self.runName).isEmpty)
    }

    private static func isShell(_ pid: Int32) -> Bool {
        let name = try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)
        return name == "sh\n" || name == "dash\n"
    }

    /// The kernel's parent is a thread; if it were one that ends, a tool would be killed with it.
    @Test func toolOutlivesOtherThreads() async throws {
        let folder = try TemporaryFolder()
        let flag = folder("go")
        let tool = Tool("sh", ["-c", "until [ -e \"$1\" ]; do sleep 0.02; done; echo done", "sh", flag])
        let running = Task { try await tool.run() }
        for _ in 0..<20 {
            for _ in 0..<10 { Thread.detachNewThread {} }
            await withTaskGroup { group in
                for _ in 0..<4 { group.addTask { _ = try? await Tool("true", []).run() } }
            }
        }
        try folder.write("", to: "go")
        #expect(try await running.value.text == "done\n")
    }

    @Test func recordTellsProcessesApart() throws {
        let me = ProcessRecord(running: getpid())
        #expect(me.isAlive)
        let data = try JSONEncoder().encode(me)
        #expect(try JSONDecoder().decode(ProcessRecord.self, from: data) == me)
        // The same pid at another time, or in another boot, is another process.
        let later = String(decoding: data, as: UTF8.self)
            .replacingOccurrences(
                of: "\"startTime\":\(me.startTime!)", with: "\"startTime\":\(me.startTime! + 1)")
        #expect(try JSONDecoder().decode(ProcessRecord.self, from: Data(later.utf8)).isAlive == false)
        let rebooted = String(decoding: data, as: UTF8.self).replacingOccurrences(of: me.boot, with: "other")
        #expect(try JSONDecoder().decode(ProcessRecord.self, from: Data(rebooted.utf8)).isAlive == false)
        #expect(ProcessRecord(running: 0x3FFF_FFFF).isAlive == false)
    }

    @Test func replayEndsWhatIsLeftOfARun() async throws {
        var tool = Tool("sleep", ["1000"])
        tool.run = "left over \(UUID())"
        let name = tool.run!
        let running = Task { [tool] in try await tool.run() }
        #expect(await eventually { ProcessRecord.find(run: name).count == 1 })
        #expect(ProcessRecord.find(run: name + " of another").isEmpty)
        #expect(await ProcessRecord.endAll(run: name))
        #expect(ProcessRecord.find(run: name).isEmpty)
        let error = await #expect(throws: ToolError.self) { try await running.value }
        #expect(error?.reason == .signalled(SIGKILL))
    }
}
