// SPDX-License-Identifier: Apache-2.0
import Foundation
import HostNet
import VctlAPI

extension BridgeRisk {
    /// How long a change waits where nobody says how long.
    static let usualSeconds = 60

    /// - Throws: ``Problem`` `request.invalid`.
    static func check(_ seconds: Int) throws {
        guard !(10...3600).contains(seconds) else { return }
        try VMRules.refuse([FieldProblem("confirmTimeoutSeconds", "10 to 3600 seconds")])
    }

    /// What the caller should know before the addresses of a link move.
    static func warnings(
        _ uplink: LinkName, _ snapshot: NetworkSnapshot, _ sight: LinkSight, _ caller: Caller
    ) -> [String] {
        var warnings: [String] = []
        if snapshot.hasDefaultRoute([uplink.rawValue]) {
            warnings.append("\(uplink) carries the host's default route")
        }
        let index = sight.links.first { $0.name == uplink.rawValue }?.index
        let own = sight.addresses.filter { $0.link == index }.map { $0.text.prefix { $0 != "/" } }
        if let server = SSHSession.server(of: caller.pid), own.contains(where: { $0 == server }) {
            warnings.append("\(uplink) carries the SSH session that this was asked over")
        }
        return warnings
    }
}

extension BridgeRisk? {
    /// What it adds to a preview.
    func changes(_ bridge: KeptBridge?) -> [String] {
        guard let risk = self else { return [] }
        let moved = bridge?.uplink.map { ["move the addresses and routes of \($0) to it"] } ?? []
        return moved + ["take it all back after \(risk.seconds) s, unless it is confirmed"]
    }
}

/// The SSH session that a process is in.
enum SSHSession {
    /// The host's own address that the session came to, by what sshd told its children. sudo and the like
    /// keep it from theirs, so the parents are asked as well.
    static func server(of pid: Int) -> String? {
        var (next, seen): (Int?, Set<Int>) = (pid, [])
        while let process = next, process > 1, seen.insert(process).inserted {
            if let server = told(process) { return server }
            next = parent(of: process)
        }
        return nil
    }

    private static func told(_ pid: Int) -> String? {
        let line = text("/proc/\(pid)/environ").split(separator: "\0").first {
            $0.hasPrefix("SSH_CONNECTION=")
        }
        // Address and port of the client, then those of the server.
        let words = line?.dropFirst("SSH_CONNECTION=".count).split(separator: " ") ?? []
        return words.count == 4 ? String(words[2]) : nil
    }

    private static func parent(of pid: Int) -> Int? {
        let line = text("/proc/\(pid)/status").split(separator: "\n").first { $0.hasPrefix("PPid:") }
        return line?.split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) }
    }

    private static func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}
