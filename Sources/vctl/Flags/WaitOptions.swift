// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// What every verb that changes something understands.
struct ChangeOptions: ParsableArguments {
    @Flag(name: .customLong("dry-run"), help: "Check everything, change nothing, say what would be done.")
    var dryRun = false

    var query: [(String, String)] { dryRun ? [("dryRun", "true")] : [] }
}

/// What every verb that starts an operation understands.
struct WaitOptions: ParsableArguments {
    @Flag(name: .customLong("wait"), inversion: .prefixedNo, help: "Wait until the operation ends.")
    var wait = true

    @Option(
        name: .customLong("timeout"), parsing: .unconditional,
        help: .init("How long to wait; the operation goes on.", valueName: "time"), transform: Parse.timeout)
    var timeout: TimeSpan?

    @Flag(name: .customLong("strict"), help: "End with code 8 when there were warnings.")
    var strict = false

    @OptionGroup var change: ChangeOptions

    var dryRun: Bool { change.dryRun }
    var deadline: Deadline { timeout?.deadline ?? .never }
}

/// A timeout alone.
struct TimeoutOption: ParsableArguments {
    @Option(
        name: .customLong("timeout"), parsing: .unconditional,
        help: .init("How long to wait.", valueName: "time"), transform: Parse.timeout)
    var timeout: TimeSpan?

    var deadline: Deadline { timeout?.deadline ?? .never }
}

/// The key that makes a repeated request safe.
struct KeyOption: ParsableArguments {
    @Option(
        name: .customLong("idempotency-key"),
        help: .init("The same key and request give the same operation; made up without it.", valueName: "key")
    )
    var key: String?
}

/// Confirmation.
struct YesOption: ParsableArguments {
    @Flag(name: .customLong("yes"), help: "Do not ask.")
    var yes = false
}
