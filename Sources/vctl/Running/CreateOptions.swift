// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// What `create` of a small object understands.
struct CreateOptions: ParsableArguments {
    @OptionGroup var basics: CreateBasics
    @OptionGroup var output: OutputOptions

    /// Asks for the object, waits and prints it.
    func run(
        _ noun: Noun, _ name: String, missing: ErrorCode, _ body: (Request) throws -> Request
    ) throws {
        try basics.run(noun, name, missing: missing, output, body)
    }
}

/// The same without how it is printed.
struct CreateBasics: ParsableArguments {
    @Flag(name: .customLong("if-not-exists"), help: "One of this name is no error, and stays as it is.")
    var ifNotExists = false

    @OptionGroup var key: KeyOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var connect: ConnectOptions

    /// Asks for the object, waits and prints it.
    /// - Parameter parents: what it is a part of.
    func run(
        _ noun: Noun, _ name: String, in parents: [String] = [], missing: ErrorCode,
        _ output: OutputOptions, _ body: (Request) throws -> Request
    ) throws {
        let request = try body(
            Request(Endpoints.named("\(noun.name).create"), parents, query: wait.change.query))
        let client = connect.client()
        if ifNotExists, let reply = try existing(client, noun, name, missing) {
            Standard.error("\(name) exists; nothing to do")
            return try Printer(noun, output).objects([reply.bytes], asArray: false, detailed: false)
        }
        let job = Job(name: name, request: wait.dryRun ? request : try request.keyed(key.key))
        try Batch(client, noun, output, wait).run([job])
    }

    private func existing(
        _ client: Client, _ noun: Noun, _ name: String, _ missing: ErrorCode
    ) throws -> Reply? {
        do {
            return try client.send(Request(Endpoints.named("\(noun.name).show"), noun.parameters(name)))
        } catch let problem as Problem where problem.errorCode == missing {
            return nil
        }
    }
}
