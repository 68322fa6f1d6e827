// SPDX-License-Identifier: Apache-2.0
import VctlAPI

extension ManualPage {
    /// What is true of every command, and stands in the page of the program itself.
    var general: String { exitStatus + environment + files }

    private var exitStatus: String {
        let codes: [(ExitCode, String)] = [
            (.success, "Done, or nothing to do."), (.failed, "The operation failed."),
            (.notFound, "Not found."),
            (.conflict, "Exists, busy, in use, protected, or changed meanwhile; the hint names the flag."),
            (.denied, "Permission denied."),
            (.unreachable, "The daemon cannot be reached, or libvirt cannot and is needed."),
            (.timeout, "The time given with --timeout has passed; the operation goes on."),
            (.warnings, "Done with warnings, with --strict."),
            (.usage, "Wrong usage or value, or --yes is missing."),
            (.interrupted, "Interrupted; the operation goes on."),
        ]
        return Roff.section("exit status")
            + codes.map { Roff.entry(Roff.bold("\($0.0.rawValue)"), Roff.text($0.1)) }.joined()
    }

    private var environment: String {
        let variables = [
            ("VCTL_SOCKET", "The daemon's socket on this machine, where --socket does not say it."),
            ("VCTL_HOST", "Another machine, where --host does not say it."),
            ("NO_COLOR", "Set to anything, it turns colours off."),
        ]
        return Roff.section("environment")
            + variables.map { Roff.entry(Roff.bold($0.0), Roff.text($0.1)) }.joined()
    }

    private var files: String {
        Roff.section("files")
            + Roff.entry(
                Roff.italic(Wire.defaultSocket),
                Roff.text("The daemon's socket, for root and the group vctl."))
            + Roff.entry(
                Roff.italic(Wire.readOnlySocket(beside: Wire.defaultSocket)),
                Roff.text(
                    "The socket for looking, of the group vctl-ro; taken where the other one is closed to "
                        + "the caller, and neither --socket nor VCTL_SOCKET names one."))
            + Roff.entry(Roff.italic("/etc/vctl/vctld.toml"), "The daemon's configuration.")
    }
}
