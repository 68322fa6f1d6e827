// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI

/// When a VM is started unasked, and what guards it; of a new one and of one that is changed.
struct KeepingOptions: ParsableArguments {
    @Flag(name: .customLong("autostart"), inversion: .prefixedNo, help: "Whether it starts with the host.")
    var autostart: Bool?

    @Option(
        name: .customLong("autostart-order"), parsing: .unconditional,
        help: .init(
            "Its place among those that start with the host, the lowest first; or none.", valueName: "n"),
        transform: Parse.removableNumber)
    var order: Removable<Int>?

    @Option(
        name: .customLong("autostart-delay"), parsing: .unconditional,
        help: .init("How long to wait after its start before the next one; or none.", valueName: "time"),
        transform: Parse.removableSeconds)
    var delay: Removable<Int>?

    @Option(
        name: .customLong("on-crash"), help: "restart or stop, when QEMU dies or the guest panics.",
        transform: Parse.choice)
    var onCrash: CrashAction?

    @Flag(name: .customLong("protect"), inversion: .prefixedNo, help: "Whether delete refuses it.")
    var protect: Bool?

    /// - Throws: a ``Failure`` where flags do not go together.
    func check() throws {
        guard autostart == false, order?.value != nil || delay?.value != nil else { return }
        throw Failure.usage("--autostart-order and --autostart-delay do not go with --no-autostart")
    }

    /// - Throws: a ``Failure`` where something is to be taken away of what is only being made.
    func checkOfNew() throws {
        guard !removed.isEmpty else { return }
        throw Failure.usage(
            "none takes away an order or a delay, and what is new has none",
            hint: "--no-autostart, where a profile gives it one; else leave it out")
    }

    /// The names of the settings that are taken away.
    var removed: [String] {
        (order.map { $0.value == nil } == true ? ["autostartOrder"] : [])
            + (delay.map { $0.value == nil } == true ? ["autostartDelaySeconds"] : [])
    }

    func fill(_ body: inout VMCreate) {
        body.autostart = autostart
        body.autostartOrder = order?.value
        body.autostartDelaySeconds = delay?.value
        body.onCrash = onCrash
        body.protected = protect
    }

    func fill(_ patch: inout VMPatch) {
        patch.autostart = autostart
        patch.autostartOrder = order
        patch.autostartDelaySeconds = delay
        patch.onCrash = onCrash
        patch.protected = protect
    }

    /// Whether anything is given.
    var isGiven: Bool {
        let given: [Any?] = [autostart, order, delay, onCrash, protect]
        return given.contains { $0 != nil }
    }
}
