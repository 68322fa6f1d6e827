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
    /// How long the agent took to start it.
    let answeredWithin: Duration

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
        let asked = ContinuousClock.now
        pid = try await agent.send("guest-exec", exec, as: Started.self).pid
        answeredWithin = asked.duration(to: .now)
    }

    /// As a shell gives it. What the agent says may be made up.
    private static func status(_ exitcode: Int?, _ signal: Int?) throws -> Int {
        if let exitcode { return exitcode }
        guard let signal, (1...128).contains(signal) else {
            throw Problem(.agentFailed, "the guest's agent does not say how the program ended")
        }
        return 128 + signal
    }

    /// Waits for its end.
    /// - Parameter seconds: for how long; for ever without it.
    /// - Throws: ``Problem`` `agent.unresponsive` when that has passed, and what ``end()`` throws.
    @discardableResult
    func wait(seconds: Int? = nil) async throws -> End {
        let deadline = seconds.map { ContinuousClock.now + .seconds($0) }
        var pause = Pause(answeredWithin)
        while true {
            if let end = try await end() { return end }
            if let deadline, ContinuousClock.now > deadline {
                throw Problem(.agentUnresponsive, "the guest is not done with it within \(seconds ?? 0) s")
            }
            try await pause.wait()
        }
    }

    /// Waits for its end, which is to be a good one.
    /// - Returns: what it printed.
    /// - Throws: ``Problem`` `agent.failed` that begins with `words` and has its own; what ``wait(seconds:)``
    ///   throws.
    @discardableResult
    func mustSucceed(_ words: String, seconds: Int? = 60) async throws -> [UInt8] {
        let end = try await wait(seconds: seconds)
        guard end.status != 0 else { return end.out }
        let said = String(decoding: end.err, as: UTF8.self).split(whereSeparator: \.isNewline)
        throw Problem(.agentFailed, "\(words): \(shown(said.joined(separator: "; "), limit: 300))")
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
            status: try Self.status(status.exitcode, status.signal), out: status.out?.bytes ?? [],
            err: status.err?.bytes ?? [], isCut: status.outCut ?? false || status.errCut ?? false)
    }
}
