// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl waitready`.
struct WaitReady: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "waitready",
        abstract: "Wait until the daemon serves requests, and has read libvirt at some time.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var timeout: TimeoutOption

    func run() throws {
        let client = connect.client()
        client.patience = 5
        client.interrupts = Interrupts()
        let deadline = timeout.deadline
        var reason = "it does not answer"
        var said = ""
        let patience = Deadline.after(seconds: 2)
        do {
            while true {
                if let why = try attempt(client, deadline) { reason = why } else { return }
                if patience.hasPassed, said != reason {
                    Standard.error("waiting: \(reason)")
                    said = reason
                }
                try Poll.sleep(seconds: 0.05, until: deadline, client.interrupts)
            }
        } catch ClientError.timeout {
            throw Failure(
                message: "vctld was not ready in the time given with --timeout: \(reason)",
                code: ClientError.timeout.code, hint: "journalctl -u vctld", exit: .timeout)
        }
    }

    /// Why it is not ready; `nil` once it is.
    private func attempt(_ client: Client, _ deadline: Deadline) throws -> String? {
        do {
            _ = try client.send(Request(Endpoints.named("ready")), until: deadline)
            return nil
        } catch let problem as Problem where problem.status == 503 {
            return problem.detail
        } catch let error as ClientError where error.isPassing || error == .silent(socket: client.socket) {
            return error.description
        }
    }
}
