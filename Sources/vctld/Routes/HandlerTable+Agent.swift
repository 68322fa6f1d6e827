// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import HTTPTypes
import NIOCore
import VctlAPI
import VctlCore

extension HandlerTable {
    mutating func addAgent(_ vms: VMService) {
        addFiles(vms)
        on("vm.exec", VMExec.self) { incoming, exec in
            let run = try await vms.exec(try incoming.reference(), exec, incoming.context)
            let headers: HTTPFields = [.contentType: "application/x-ndjson", .cacheControl: "no-store"]
            return Reply(.ok, headers, body: .stream { sink in try await Self.stream(run, sink) })
        }
    }

    private mutating func addFiles(_ vms: VMService) {
        on("vm.file.pull") { incoming in
            let path = incoming.query.text("path") ?? ""
            let download = try await vms.pull(try incoming.reference(), path, incoming.context)
            let headers: HTTPFields = [
                .contentType: "application/octet-stream", .cacheControl: "no-store",
            ]
            return Reply(
                .ok, headers,
                body: .stream { sink in
                    try await download.run { try await sink.write(ByteBuffer(bytes: $0)) }
                })
        }
        on("vm.file.push") { incoming in
            let path = incoming.query.text("path") ?? ""
            guard !incoming.context.dryRun else {
                return try .json(
                    try await vms.previewPush(
                        try incoming.reference(), path, mode: incoming.query.text("mode"), incoming.context))
            }
            try await vms.push(
                try incoming.reference(), path, mode: incoming.query.text("mode"), incoming.body,
                incoming.context)
            return .nothing
        }
    }

    /// The head of the reply has been sent: what goes wrong now is the last line.
    private static func stream(_ run: ExecRun, _ sink: StreamSink) async throws {
        var last = ExecLine()
        do {
            last.exit = try await run.run { output in
                var line = ExecLine()
                switch output {
                case .stdout(let bytes): line.stdout = Base64(bytes)
                case .stderr(let bytes): line.stderr = Base64(bytes)
                }
                try await sink.write(try text(line))
            }
        } catch let problem as Problem {
            last.error = problem
        }
        try await sink.write(try text(last))
    }

    private static func text(_ line: ExecLine) throws -> ByteBuffer {
        ByteBuffer(bytes: [UInt8](try JSONEncoder().encode(line)) + [0x0A])
    }
}
