// SPDX-License-Identifier: Apache-2.0

/// Who is on a VM's serial console. Any number may watch it, one may type.
public struct ConsoleStatus: Codable, Hashable, Sendable {
    /// Who types.
    public var writer: ConsoleWriter?
    /// How many only watch.
    public var readers: Int
    /// Ends of the console that the daemon cut off lately, and why.
    public var ended: [ConsoleEnd]
    public init(writer: ConsoleWriter? = nil, readers: Int, ended: [ConsoleEnd]) {
        self.writer = writer
        self.readers = readers
        self.ended = ended
    }
}

/// Who types on a console.
public struct ConsoleWriter: Codable, Hashable, Sendable {
    public var uid: Int
    public var user: String?
    public var pid: Int
    public var since: Timestamp
    public init(uid: Int, user: String?, pid: Int, since: Timestamp) {
        self.uid = uid
        self.user = user
        self.pid = pid
        self.since = since
    }

    /// `alice (pid 4711)`.
    public var described: String {
        let who = user ?? "uid \(uid)"
        // The kernel gives 0 for a process of another namespace.
        return pid > 0 ? "\(who) (pid \(pid))" : who
    }
}

/// Why one end of a console was cut off: a stream of bytes has no room for a reason.
public struct ConsoleEnd: Codable, Hashable, Sendable {
    /// As `Vctl-Session` named it when it began.
    public var session: ObjectID
    /// `console.taken`, `console.overrun`, `vm.state`, …
    public var code: String
    public var detail: String
    public var hint: String?
    public var at: Timestamp
    public init(session: ObjectID, code: String, detail: String, hint: String? = nil, at: Timestamp) {
        self.session = session
        self.code = code
        self.detail = detail
        self.hint = hint
        self.at = at
    }
}
