// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// What all power verbs understand.
struct ActionOptions: ParsableArguments {
    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var targets: VMTargets
    @OptionGroup var key: KeyOption

    /// Sends the action to each VM.
    /// - Parameter ordered: whether those that start later with the host are done with first.
    func run(
        _ endpoint: String, _ body: some Encodable & Sendable, force: Bool = false, ordered: Bool = false
    ) throws {
        let client = connect.client()
        let names = try targets.resolve(client)
        guard key.key == nil || names.count < 2 else {
            throw Failure.usage("--idempotency-key is for one VM", hint: "leave it out, or name one VM")
        }
        let batch = Batch(client, .vm, output, wait)
        batch.asArray = !targets.selection.isEmpty
        let rounds = ordered ? try StopOrder(client).rounds(names) : [names]
        try batch.run(rounds: try rounds.map { try $0.map { try job(endpoint, $0, body, force) } })
    }

    private func job(_ endpoint: String, _ name: String, _ body: some Encodable, _ force: Bool) throws -> Job
    {
        let query = wait.change.query + (force ? [("force", "true")] : [])
        let request = try Request(Endpoints.named(endpoint), [name], query: query).json(body)
        return Job(name: name, request: wait.dryRun ? request : try request.keyed(key.key))
    }
}

/// How a guest is asked to stop.
struct StopOptions: ParsableArguments {
    @Option(
        name: .customLong("grace"), parsing: .unconditional,
        help: .init("How long the guest may take, 60s without it.", valueName: "time"), transform: Parse.span)
    var grace: TimeSpan?

    @Flag(name: .customLong("force"), help: "Power off after --grace; without --grace at once.")
    var force = false

    /// `--force` alone is the power switch.
    var graceSeconds: Int? { grace?.wholeSeconds ?? (force ? 0 : nil) }
}
