// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl query`.
struct Query: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Send a request as it is, and print the reply.",
        discussion: """
            vctl query GET /v1/vms
            vctl query POST /v1/vms --input vm.json
            """)

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var timeout: TimeoutOption

    @Argument(
        help: .init("GET, POST, PUT, PATCH or DELETE.", valueName: "method"),
        completion: .list(VctlAPI.Method.allCases.map(\.rawValue)), transform: Self.method)
    var method: VctlAPI.Method
    @Argument(help: .init("Path and query.", valueName: "path")) var path: String

    @Option(
        name: .customLong("input"), help: .init("The body; - is stdin.", valueName: "file"),
        completion: .file()) var input: String?
    @Option(
        name: [.customLong("header"), .customShort("H")],
        help: .init("Another header; may be repeated.", valueName: "name: value"), transform: Self.header)
    var headers: [KeyValue] = []
    @Flag(name: [.customLong("include"), .customShort("i")], help: "Print status and headers too.")
    var include = false

    static func method(_ text: String) throws -> VctlAPI.Method {
        if let method = VctlAPI.Method(rawValue: text.uppercased()) { return method }
        throw Parse.Refused(
            description: "known are \(VctlAPI.Method.allCases.map(\.rawValue).joined(separator: ", "))")
    }

    static func header(_ text: String) throws -> KeyValue {
        guard let colon = text.firstIndex(of: ":"), colon > text.startIndex else {
            throw Parse.Refused(description: "write NAME: VALUE")
        }
        let value = text[text.index(after: colon)...].drop { $0 == " " }
        return KeyValue(key: String(text[..<colon]), value: String(value))
    }

    func run() throws {
        let client = connect.client()
        let (head, body) = try client.open(try request(), until: timeout.deadline)
        if include { Standard.out(headText(head)) }
        guard head.status < 400 else { return try refuse(head, body, client) }
        var last: UInt8 = 0x0A
        while let part = try body.next(until: timeout.deadline) {
            Standard.out(part)
            last = part.last ?? last
        }
        if last != 0x0A { Standard.out("\n") }
    }

    func request() throws -> Request {
        guard path.hasPrefix("/"), path.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Failure.usage("a path begins with / and is percent-encoded: /v1/vms")
        }
        var request = Request(method: method.rawValue, target: path)
        if let input { request.body = try Files.bytes(input) }
        for header in headers { request = request.header(header.key, header.value) }
        let hasType = headers.contains { $0.key.lowercased() == "content-type" }
        guard request.body != nil, !hasType else { return request }
        return request.header("Content-Type", method == .patch ? Wire.mergePatch : "application/json")
    }

    private func headText(_ head: ReplyHead) -> String {
        "HTTP/1.1 \(head.status)\n"
            + head.headers.map { "\($0.name): \(shown($0.value, limit: 4000))\n" }.joined() + "\n"
    }

    private func refuse(_ head: ReplyHead, _ body: ReplyBody, _ client: Client) throws {
        let reply = Reply(head: head, bytes: try body.rest(until: client.limit(timeout.deadline)))
        Standard.out(reply.bytes.last == 0x0A || reply.bytes.isEmpty ? reply.bytes : reply.bytes + [0x0A])
        if let problem = reply.problem { throw problem }
    }
}
