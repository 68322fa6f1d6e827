// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import Testing

@testable import VctlCore

struct ToolTests {
    private func reason(_ tool: Tool) async throws -> ToolError.Reason? {
        do {
            try await tool.run()
            return nil
        } catch let error as ToolError {
            return error.reason
        }
    }

    @Test func argumentsArriveAsTheyAre() async throws {
        let words = ["a b", "$HOME", "'\"`x`", "", "line\nbreak", "*", "--"]
        let output = try await Tool("printf", ["%s|"] + words).run()
        #expect(output.text == words.map { $0 + "|" }.joined())
    }

    @Test func environmentIsOursAlone() async throws {
        var tool = Tool("env", [])
        tool.run = "naming a run"
        let lines = try await tool.run().text.split(separator: "\n").map(String.init).sorted()
        try #require(lines.count == 3)
        #expect(lines[0] == "LC_ALL=C" && lines[2] == "VCTL_RUN=naming a run")
        #expect(lines[1].hasPrefix("PATH=/") && lines[1].hasSuffix(":\(Tool.searchPath)"))
    }

    @Test func endsAreTyped() async throws {
        #expect(try await reason(Tool("true", [])) == nil)
        #expect(try await reason(Tool("sh", ["-c", "exit 63"])) == .exited(63))
        #expect(try await reason(Tool("sh", ["-c", "kill -SEGV $$"])) == .signalled(SIGSEGV))
        #expect(try await reason(Tool("no-such-tool-at-all", [])) == .missing)
        #expect(try await reason(Tool("/nonexistent/tool", [])) == .missing)
    }

    @Test func answerTakesEveryStatus() async throws {
        let answer = try await Tool.run("sh", ["-c", "echo out; echo err >&2; exit 3"])
        #expect(answer.status == 3 && answer.output == "out\n" && answer.errors == "err\n")
        await #expect(throws: ToolError.self) { try await Tool.run("sh", ["-c", "kill -9 $$"]) }
    }

    @Test func allOutputArrivesHoweverFastTheToolEnds() async throws {
        for _ in 0..<20 {
            let output = try await Tool("head", ["-c", "3000000", "/dev/zero"]).run()
            #expect(output.stdout.count == 3_000_000)
        }
    }

    @Test func endOfStderrIsKept() async throws {
        let script = "head -c 1000000 /dev/zero | tr '\\0' x >&2; echo THE END >&2; exit 1"
        let error = await #expect(throws: ToolError.self) { try await Tool("sh", ["-c", script]).run() }
        #expect(error?.stderr.utf8.count == Tool.stderrLimit)
        #expect(error?.stderr.hasSuffix("THE END\n") == true)
    }

    @Test func endlessOutputEnds() async throws {
        var tool = Tool("cat", ["/dev/zero"])
        tool.outputLimit = 1 << 20
        #expect(try await reason(tool) == .tooMuchOutput(1 << 20))
    }

    @Test func linesEndAtEveryBreak() async throws {
        let lines = Mutex<[String]>([])
        let output = try await Tool("printf", [#"one\rtwo\r\nthree\n\nfour"#]).run { line in
            lines.withLock { $0.append(line) }
        }
        #expect(lines.withLock { $0 } == ["one", "two", "three", "four"])
        #expect(output.stdout.isEmpty)
    }

    @Test func deadlineKillsTheWholeGroup() async throws {
        var tool = Tool("sh", ["-c", "sleep 1000 & sleep 1000"], deadline: .milliseconds(300))
        tool.run = "deadline \(UUID())"
        #expect(try await reason(tool) == .timedOut(.milliseconds(300)))
        #expect(await eventually { ProcessRecord.find(run: tool.run!).isEmpty })
    }

    @Test func cancellationKillsTheWholeGroup() async throws {
        var tool = Tool("sh", ["-c", "trap '' TERM; sleep 1000 & sleep 1000"])
        tool.run = "cancel \(UUID())"
        let name = tool.run!
        let running = Task { [tool] in try await tool.run() }
        #expect(await eventually { ProcessRecord.find(run: name).count == 3 })
        running.cancel()
        await #expect(throws: CancellationError.self) { try await running.value }
        #expect(await eventually { ProcessRecord.find(run: name).isEmpty })
    }

    @Test func failingStartHookKillsTheTool() async throws {
        struct Refused: Error {}
        var tool = Tool("sleep", ["1000"])
        tool.run = "refused \(UUID())"
        let started = tool
        await #expect(throws: Refused.self) { try await started.run(onStart: { _ in throw Refused() }) }
        #expect(await eventually { ProcessRecord.find(run: started.run!).isEmpty })
    }

    @Test func secretsAreInNoError() async throws {
        var tool = Tool("false", ["--password", "hunter2"])
        tool.secrets = [1]
        let secretive = tool
        let error = await #expect(throws: ToolError.self) { try await secretive.run() }
        #expect(error?.arguments == ["--password", "«secret»"])
        #expect("\(String(describing: error))".contains("hunter2") == false)
    }

    @Test func limitsHold() async throws {
        var tool = Tool("sh", ["-c", "ulimit -v; ulimit -t"])
        tool.limits = .untrustedImage
        #expect(try await tool.run().text == "1048576\n30\n")
    }
}
