// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl operation wait`.
struct OperationWait: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait until operations end.")

    @OptionGroup var options: OperationOptions

    @Flag(name: .customLong("strict"), help: "End with code 8 when there were warnings.")
    var strict = false

    func run() throws {
        let run = try OperationRun(options, strict: strict)
        try run.each { id in
            let reply = try run.follow(try run.operation(id))
            return try run.judged(reply, good: [.succeeded])
        }
    }
}

/// `vctl operation cancel`.
struct OperationCancel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Ask operations to undo what they did.")

    @OptionGroup var options: OperationOptions
    @OptionGroup var change: ChangeOptions
    @Flag(name: .customLong("wait"), inversion: .prefixedNo, help: "Wait until the operation ends.")
    var wait = true

    func run() throws {
        let run = try OperationRun(options)
        try run.each { id in
            if change.dryRun { return try run.preview(id, "operation.cancel", "undo what it did") }
            let reply = try run.client.send(
                Request(Endpoints.named("operation.cancel"), [id]), until: run.deadline)
            guard wait else { return reply }
            return try run.judged(try run.follow(try reply.decoded()), good: [.cancelled])
        }
    }
}

/// `vctl operation retry`.
struct OperationRetry: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Undo again what got stuck.")

    @OptionGroup var options: OperationOptions
    @OptionGroup var change: ChangeOptions
    @Flag(name: .customLong("wait"), inversion: .prefixedNo, help: "Wait until the operation ends.")
    var wait = true

    func run() throws {
        let run = try OperationRun(options)
        try run.each { id in
            if change.dryRun { return try run.preview(id, "operation.retry", "undo again what got stuck") }
            let request = try Request(Endpoints.named("operation.retry"), [id]).json(Empty()).keyed(nil)
            let reply = try run.client.send(request, until: run.deadline)
            guard wait else { return reply }
            return try run.judged(
                try run.follow(try reply.decoded()), good: [.succeeded, .failed, .cancelled])
        }
    }
}

/// `vctl operation abandon`.
struct OperationAbandon: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "abandon", abstract: "Give up a stuck undo, and free what it holds.")

    @OptionGroup var options: OperationOptions
    @OptionGroup var change: ChangeOptions
    @OptionGroup var confirm: YesOption

    func run() throws {
        let run = try OperationRun(options)
        if !change.dryRun {
            try Confirmation.need(confirm, "leave things as they are, half undone?")
        }
        try run.each { id in
            if change.dryRun { return try run.preview(id, "operation.abandon", "free what it holds") }
            let request = try Request(Endpoints.named("operation.abandon"), [id]).json(Empty()).keyed(nil)
            return try run.client.send(request, until: run.deadline)
        }
    }
}
