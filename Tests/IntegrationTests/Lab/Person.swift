// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

/// Somebody on the host, with a user and a group of their own. The groups are those that every Debian has.
enum Person: String, CaseIterable {
    case root, admin, `operator`, viewer, outsider
    case readOnly = "read-only"

    /// What the configuration gives them.
    static let access = """
        [access]
        admin = ["adm"]
        operator = ["daemon"]
        viewer = ["sys"]

        """

    /// The role that they then have; `nil`: none.
    var role: Role? {
        switch self {
        case .root, .admin: .admin
        case .operator: .operate
        case .viewer, .readOnly: .viewer
        case .outsider: nil
        }
    }

    var uid: Int {
        switch self {
        case .root: 0
        case .admin: 64_001
        case .operator: 64_002
        case .viewer: 64_003
        case .outsider: 64_004
        case .readOnly: 64_005
        }
    }

    /// `readOnly` is one of the admins: the socket counts.
    fileprivate var group: String {
        switch self {
        case .root: "root"
        case .admin, .readOnly: "adm"
        case .operator: "daemon"
        case .viewer: "sys"
        case .outsider: "games"
        }
    }

    fileprivate var socket: String {
        self == .readOnly ? "/run/vctld/vctld-ro.sock" : "/run/vctld/vctld.sock"
    }
}

/// A request as `curl` sends it.
struct Ask {
    var method: String
    var path: String
    var body: String?
    var type = "application/json"

    init(_ method: String, _ path: String, _ body: String? = nil) {
        (self.method, self.path, self.body) = (method, path, body)
        if method == "PATCH" { type = Wire.mergePatch }
    }

    /// A call of an endpoint that says nothing more than what it is about.
    /// - Parameter names: values of parameters in the path; others name what is not there.
    init(_ endpoint: Endpoint, _ names: [String: String] = [:]) {
        let parts = endpoint.path.split(separator: "/").map { part in
            guard part.hasPrefix("{") else { return String(part) }
            let parameter = String(part.dropFirst().dropLast())
            let isID = ["operation", "warning"].contains(parameter)
            return names[parameter] ?? (isID ? UUID().uuidString.lowercased() : "absent")
        }
        self.init(endpoint.method.rawValue, "/" + parts.joined(separator: "/"))
        guard let schema = endpoint.body else { return }
        body = "{}"
        if schema.isBytes { type = schema.name }
    }

    fileprivate func configuration(socket: String) -> String {
        var lines = [
            "unix-socket = \"\(socket)\"", "url = \"http://vctld\(path)\"", "silent", "max-time = 60",
            "request = \(method)", "header = \"Accept: application/json\"",
            "write-out = \"\u{1E}%{http_code}\u{1D}\"",
        ]
        if let body {
            lines.append("header = \"Content-Type: \(type)\"")
            lines.append("data-raw = \"\(body.replacingOccurrences(of: "\"", with: "\\\""))\"")
        }
        return lines.joined(separator: "\n")
    }
}

/// What came back; status 0: nothing did.
struct Told {
    var status: Int
    var body: String

    var code: String? { try? decode(Problem.self, body).code }
}

extension Lab {
    /// The answers to requests of somebody, in their order, by the real `curl` of that user.
    /// - Parameter group: a group by number, instead of the person's.
    func ask(_ asks: [Ask], as person: Person, group: String? = nil) throws -> [Told] {
        let user = ["--reuid", "\(person.uid)", "--regid", "\(person.uid)"]
        let input = asks.map { $0.configuration(socket: person.socket) }.joined(separator: "\nnext\n")
        let outcome = try Shell.run(
            vhostCommand("exec", name, "setpriv") + user
                + ["--groups", group ?? person.group, "--", "curl", "--config", "-"],
            input: input, environment: ["VCTL_LAB": Lab.base], seconds: 300)
        let answers = outcome.out.split(separator: "\u{1D}").map { part in
            let ends = part.split(separator: "\u{1E}", omittingEmptySubsequences: false)
            return Told(status: Int(ends.last ?? "") ?? 0, body: String(ends.first ?? ""))
        }
        try #require(answers.count == asks.count, "\(outcome)")
        return answers
    }

    func ask(_ ask: Ask, as person: Person, group: String? = nil) throws -> Told {
        try self.ask([ask], as: person, group: group)[0]
    }

    /// Starts the daemon again with a configuration.
    /// - Parameter open: whether everybody may connect; the daemon then has to tell them apart.
    func restart(_ configuration: String, open: Bool) throws {
        try stopDaemon()
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: "\(root)/vctl-etc/vctld.toml"))
        try startDaemon()
        guard open else { return }
        try inside("chmod", "666", "/run/vctld/vctld.sock", "/run/vctld/vctld-ro.sock")
    }
}
