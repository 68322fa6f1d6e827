// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VctlClient

/// Waits for a condition of a VM by asking again and again; the daemon does the watching.
struct WaitLoop {
    let client: Client
    let deadline: Deadline
    /// What messages call it.
    let name: String
    let condition: WaitCondition
    /// What requests call it, where that is another word: its id, so that a namesake is not meant.
    var id: String?

    /// - Returns: the VM as it is when the condition holds, as the API's object.
    /// - Throws: a ``Failure`` with code 7 where the deadline passes before.
    func run() throws -> [UInt8] {
        let line = ProgressLine(name)
        defer { line.clear() }
        var reason: String?
        do {
            while true {
                let began = Clock.now
                let reply = try ask()
                let outcome = try reply.tree()
                if outcome["met"]?.truth == true { return try vm(in: reply, outcome) }
                reason = outcome["reason"]?.text ?? reason
                if deadline.hasPassed { throw deadline.error }
                line.show(phase: "waiting for \(condition)", done: 0, total: nil, inBytes: false)
                // A daemon that cannot wait for this condition answers at once.
                let rest = 0.2 - Clock.seconds(since: began)
                if rest > 0 { try Poll.sleep(seconds: rest, until: deadline, client.interrupts) }
            }
        } catch ClientError.timeout {
            throw late(reason)
        }
    }

    private func ask() throws -> Reply {
        var body = VMWait(condition: condition)
        let span = min(deadline.secondsLeft ?? 10, 10)
        body.timeoutSeconds = Int(span)
        let request = try Request(Endpoints.named("vm.wait"), [id ?? name]).json(body)
        // The daemon counts whole seconds: what is left of the last one is slept here.
        return try client.send(request, waiting: span)
    }

    private func late(_ reason: String?) -> Failure {
        let why = reason.map { ": \($0)" } ?? ""
        return Failure(
            message: "\(name) did not reach \"\(condition)\" in the time given with --timeout\(why)",
            code: ClientError.timeout.code, hint: "vctl vm show \(name); vctl vm console \(name) --log",
            exit: .timeout)
    }

    /// The VM in the outcome is read again by itself, so that its bytes are the API's own.
    private func vm(in reply: Reply, _ outcome: JSONNode) throws -> [UInt8] {
        let id = outcome["vm"]?["id"]?.text ?? self.id ?? name
        return try client.send(Request(Endpoints.named("vm.show"), [id])).bytes
    }
}
