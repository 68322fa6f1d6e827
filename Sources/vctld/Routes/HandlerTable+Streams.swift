// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import VctlAPI
import VctlCore

extension HandlerTable {
    mutating func addOperations(_ core: Core) {
        let operations = core.operations
        on("operation.list") { $0.reply(try await operations.list(try $0.query.list())) }
        on("operation.show") { $0.reply(try await operations.show(try $0.reference())) }
        on("operation.wait") { incoming in
            let id = try incoming.reference()
            let seconds = incoming.query.text("timeout").flatMap(WaitTime.seconds) ?? 30
            return incoming.reply(
                try await incoming.connection.whileThere { try await operations.wait(id, seconds: seconds) })
        }
        on("operation.cancel") { try .json(try await operations.cancel(try $0.reference())) }
        on("operation.retry", Empty.self) { incoming, _ in
            try .json(try await operations.retry(try incoming.reference()))
        }
        on("operation.abandon", Empty.self) { incoming, _ in
            try .json(try await operations.abandon(try incoming.reference()))
        }
    }

    mutating func addEvents(_ source: EventSource, keepAlive: Duration) {
        on("event.follow") { incoming in
            let since = try incoming.eventsSince()
            let limit = incoming.query.number("limit").map(Int.init)
            guard incoming.wantsJSON else {
                let stream = EventStream(source: source, keepAlive: keepAlive, limit: limit)
                return try await stream.reply(since: since)
            }
            let events =
                if let since { try await source.page(since, limit ?? 1000) } else {
                    try await source.newest(limit ?? 1000)
                }
            let lines = try events.map(source.json)
            return Reply(text: "[" + lines.joined(separator: ",") + "]", Reply.jsonType)
        }
    }

    mutating func addNotes(_ core: Core) {
        let warnings = core.warnings
        let audit = core.audit
        on("warning.list") { $0.reply(try await warnings.list(try $0.query.list())) }
        on("warning.ack", Empty.self) { incoming, _ in
            try .json(try await warnings.acknowledge(try incoming.reference()))
        }
        on("warning.delete") {
            try await warnings.delete(try $0.reference())
            return .nothing
        }
        on("audit.list") { $0.reply(try await audit.list(try $0.query.list())) }
    }
}

extension Incoming {
    /// Where a stream of events goes on: `Last-Event-ID`, which a browser or `curl` sends when it comes
    /// again, else `?since=`.
    fileprivate func eventsSince() throws -> Int64? {
        guard let header = headers[.lastEventID] else { return query.number("since") }
        // `Int64` would also read "+5".
        guard let last = Int64(header), last >= 0, header.first != "+" else {
            let problem = "must be a sequence number"
            throw Problem(
                .requestInvalid, "Last-Event-ID: \(problem)", errors: [FieldProblem("Last-Event-ID", problem)]
            )
        }
        return last
    }
}
