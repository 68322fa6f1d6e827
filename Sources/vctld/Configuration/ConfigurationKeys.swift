// SPDX-License-Identifier: Apache-2.0
import Logging

/// One key of the configuration file: how it is read, and how it is explained.
struct ConfigurationKey: Sendable {
    let section: String
    let name: String
    let comment: String
    /// The default, as TOML.
    let defaultText: @Sendable (Configuration) -> String
    let read: @Sendable (inout Configuration, TOMLReader) throws -> Void

    var path: String { "\(section).\(name)" }
}

extension ConfigurationKey {
    /// Every key, in the order of the file. The file, the reader and the check all come from here.
    static let all: [ConfigurationKey] = [
        text("daemon", "state_dir", "Where everything is kept that vctld itself knows.", \.stateDirectory),
        text(
            "daemon", "socket",
            "The socket for reading and writing; mode 0660, group vctl where there is one.",
            \.socket),
        text(
            "daemon", "readonly_socket",
            "The socket whose callers may only read; group vctl-ro where there is one. \"\": none.",
            \.readOnlySocket, mayBeEmpty: true),
        logLevel,
        text("libvirt", "uri", "libvirt's connection URI.", \.libvirtURI),
        list(
            "access", "admin",
            "Groups that may do everything. While all three lists are empty, whoever can open the socket"
                + " may.",
            \.access.admin),
        list(
            "access", "operator", "Groups that may use, but not change, what the host gives.",
            \.access.operators),
        list("access", "viewer", "Groups that may only look, without consoles.", \.access.viewer),
        list(
            "storage", "allowed_paths",
            "Paths of the host that a request may name (kernel, cdrom, import) lie below one of these.",
            \.allowedPaths, arePaths: true),
        number(
            "operations", "retention_days", "Days that an operation is kept after its end.", 1...3650,
            \.operationRetentionDays),
        number(
            "operations", "shutdown_grace_seconds",
            "Seconds that a stop of the daemon waits for the step that each operation is in.", 0...3600,
            \.shutdownGraceSeconds),
        number(
            "events", "keep", "Events that are kept for those who resume a stream.", 100...100_000_000,
            \.keptEvents),
        number(
            "guests", "crash_restarts",
            "How often a VM with on-crash=restart is started again within the window; then it stays off.",
            0...10_000, \.guests.crashRestarts),
        number(
            "guests", "crash_window_minutes", "The window: minutes after which a crash counts no more.",
            1...100_000, \.guests.crashWindowMinutes),
        number(
            "guests", "crash_pause_seconds",
            "Seconds before the first restart; each further one within the window waits twice as long,"
                + " at most 5 minutes.",
            0...3600, \.guests.crashPauseSeconds),
        number(
            "console", "log_bytes",
            "Bytes of each serial console that are kept; where virtlogd writes them, virtlogd.conf says it.",
            65_536...(1 << 40), \.consoleLogBytes),
        number(
            "http", "max_connections", "Connections served at once; the next is told to come back.",
            8...100_000,
            \.http.maximumConnections),
        number(
            "http", "idle_seconds", "Seconds without a request, after which a connection is closed.",
            1...86_400,
            \.http.idleSeconds),
        number(
            "http", "stall_seconds",
            "Seconds after which a client that reads nothing of its reply is dropped.",
            1...86_400, \.http.stallSeconds),
        number(
            "http", "keepalive_seconds", "Seconds between two signs of life on an event stream.", 1...3600,
            \.http.keepAliveSeconds),
    ]

    /// The documented file with every key at its default.
    static func document() -> String {
        let defaults = Configuration()
        var lines = [
            "# SPDX-License-Identifier: Apache-2.0",
            "# The configuration of vctld: every key with its default. The file and every key may be absent.",
        ]
        var section = ""
        for key in all {
            if key.section != section { lines += ["", "[\(key.section)]"] }
            section = key.section
            lines += ["# \(key.comment)", "\(key.name) = \(key.defaultText(defaults))"]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private typealias Path<Value> = any WritableKeyPath<Configuration, Value> & Sendable

    private static func text(
        _ section: String, _ name: String, _ comment: String, _ path: Path<String>, mayBeEmpty: Bool = false
    ) -> ConfigurationKey {
        ConfigurationKey(section: section, name: name, comment: comment) {
            quoted($0[keyPath: path])
        } read: {
            $0[keyPath: path] = try $1.text(mayBeEmpty: mayBeEmpty)
        }
    }

    private static func list(
        _ section: String, _ name: String, _ comment: String, _ path: Path<[String]>, arePaths: Bool = false
    ) -> ConfigurationKey {
        ConfigurationKey(section: section, name: name, comment: comment) {
            "[" + $0[keyPath: path].map(quoted).joined(separator: ", ") + "]"
        } read: {
            $0[keyPath: path] = try arePaths ? $1.paths() : $1.texts()
        }
    }

    private static func number(
        _ section: String, _ name: String, _ comment: String, _ range: ClosedRange<Int>, _ path: Path<Int>
    ) -> ConfigurationKey {
        ConfigurationKey(section: section, name: name, comment: comment) {
            String($0[keyPath: path])
        } read: {
            $0[keyPath: path] = try $1.number(in: range)
        }
    }

    private static let logLevel = ConfigurationKey(
        section: "daemon", name: "log_level",
        comment: "trace, debug, info, notice, warning, error or critical."
    ) {
        quoted($0.logLevel.rawValue)
    } read: {
        $0.logLevel = try $1.logLevel()
    }

    private static func quoted(_ text: String) -> String { "\"\(text)\"" }
}
