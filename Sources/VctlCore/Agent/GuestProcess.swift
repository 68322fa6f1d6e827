// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// A program that the agent started.
struct GuestProcess: Sendable {
    /// How a program ended, with what it has printed.
    struct End: Sendable {
        /// The exit status; of one that a signal ended, 128 and the signal.
        var status: Int
        var out: [UInt8]
        var err: [UInt8]
        /// Whether the agent has thrown away what was more than it keeps (16 MiB).
        var isCut: Bool
    }

    private let agent: GuestAgent
    private let pid: Int

    init(
        _ path: String, _ arguments: [String], environment: [String] = [], input: [UInt8] = [],
        _ agent: GuestAgent
    ) async throws {
        struct Exec: Encodable {
            var path: String
            var arg: [String]
            var env: [String]?
            var input: Base64?
            var capture = true
            enum CodingKeys: String, CodingKey {
                case path, arg, env
                case input = "input-data", capture = "capture-output"
            }
        }
        struct Started: Decodable { var pid: Int }
        let exec = Exec(
            path: path, arg: arguments, env: environment.isEmpty ? nil : environment,
            input: input.isEmpty ? nil : Base64(input))
        self.agent = agent
        pid = try await agent.send("guest-exec", exec, as: Started.self).pid
    }

    /// How it ended; `nil` while it runs. Asked once after its end: the agent forgets it then.
    func end() async throws -> End? {
        struct Ask: Encodable { var pid: Int }
        struct Status: Decodable {
            var exited: Bool
            var exitcode: Int?
            var signal: Int?
            var out: Base64?
            var err: Base64?
            var outCut: Bool?
            var errCut: Bool?
            enum CodingKeys: String, CodingKey {
                case exited, exitcode, signal
                case out = "out-data", err = "err-data", outCut = "out-truncated", errCut = "err-truncated"
            }
        }
        let status = try await agent.send("guest-exec-status", Ask(pid: pid), as: Status.self)
        guard status.exited else { return nil }
        return End(
            status: status.exitcode ?? 128 + (status.signal ?? 0), out: status.out?.bytes ?? [],
            err: status.err?.bytes ?? [], isCut: status.outCut ?? false || status.errCut ?? false)
    }
}
