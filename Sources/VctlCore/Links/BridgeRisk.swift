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
}

/// Why a change of a bridge may cut the host off: the one place where that is decided.
struct BridgeThreats {
    let sight: LinkSight
    /// Of the bridge, and of all links that become ports of it.
    let snapshot: NetworkSnapshot
    /// The links that the session goes over which this was asked in.
    let session: Set<Int>
    /// The links that PPP goes over.
    let carriersOfPPP: Set<String>

    /// A sentence each.
    /// - Parameters:
    ///   - old: `nil` where the bridge is made.
    ///   - new: `nil` where it is deleted.
    func reasons(from old: KeptBridge?, to new: KeptBridge?) -> [String] {
        let added = new?.ports.filter { old?.ports.contains($0) != true } ?? []
        let changed = old.map { isCut($0, new) ? [$0.name] : [] } ?? []
        return moves(old, new) + (changed + added).flatMap(carried) + added.flatMap(above)
    }

    private func moves(_ old: KeptBridge?, _ new: KeptBridge?) -> [String] {
        guard let name = (new ?? old)?.name, old?.uplink != new?.uplink else { return [] }
        return [
            new?.uplink.map { "the host's addresses move from \($0) to \(name)" },
            old?.uplink.map { "the host's addresses move back from \(name) to \($0)" },
        ].compactMap { $0 }
    }

    /// Whether somebody beyond it may no longer reach the host's address on it, be it for a while.
    private func isCut(_ old: KeptBridge, _ new: KeptBridge?) -> Bool {
        guard let new else { return true }
        return !old.addresses.allSatisfy(new.addresses.contains) || old.ports != new.ports
            || old.stp != new.stp || old.mtu != new.mtu
    }

    /// What goes over it, or over a VLAN or the like that stands on it.
    private func carried(_ name: LinkName) -> [String] {
        let links = sight.tower(on: [name.rawValue])
        let hasRoute = snapshot.hasDefaultRoute(links.map(\.name))
        return (hasRoute ? ["\(name) carries the host's default route"] : [])
            + (links.contains { session.contains($0.index) }
                ? ["\(name) carries the SSH session that this was asked over"] : [])
    }

    /// A bridge takes what its ports receive, before what stands on them sees it.
    private func above(_ port: LinkName) -> [String] {
        let index = sight.links.first { $0.name == port.rawValue }?.index
        let names = sight.links.filter { $0.lower != nil && $0.lower == index }.map { shown($0.name) }
        return (names.isEmpty ? [] : ["links stand on \(port): \(names.joined(separator: ", "))"])
            + (carriersOfPPP.contains(port.rawValue) ? ["\(port) carries a PPP session"] : [])
    }
}

extension BridgeService {
    /// How long a change has to be confirmed; `nil`: it need not be.
    /// - Parameter seconds: what the caller wants.
    func risk(
        from old: KeptBridge?, to new: KeptBridge?, _ sight: LinkSight, _ seconds: Int?,
        _ context: RequestContext
    ) async throws -> BridgeRisk? {
        if let seconds { try BridgeRisk.check(seconds) }
        guard let bridge = new ?? old else { return nil }
        let names = ([bridge.name] + (new?.ports ?? [])).map(\.rawValue)
        let host = environment.hostLinks
        let towers = sight.tower(on: names).map(\.name).filter { !names.contains($0) }
        let snapshot = try await host.snapshot(of: names + towers, alias: "")
        let session = SSHSession.of(context.caller.pid)
        var ways = Set(session?.links(sight) ?? [])
        if let client = session?.client, let way = await host.route(to: client) { ways.insert(way) }
        let threats = BridgeThreats(
            sight: sight, snapshot: snapshot, session: ways, carriersOfPPP: PPP.carriers)
        let reasons = threats.reasons(from: old, to: new)
        guard seconds != nil || !reasons.isEmpty else { return nil }
        return BridgeRisk(seconds: seconds ?? BridgeRisk.usualSeconds, warnings: reasons)
    }
}

/// PPP over Ethernet.
enum PPP {
    /// The links that sessions go over.
    static var carriers: Set<String> {
        // The session's number, the other end's MAC, the link.
        let lines = HostFiles().lines("/proc/net/pppoe").dropFirst()
        return Set(lines.compactMap { $0.split(separator: " ").last.map(String.init) })
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
struct SSHSession {
    /// The address that it comes from.
    let client: String
    /// The host's own address that it came to.
    let server: String

    /// By what sshd told its children. sudo and the like keep it from theirs, so the parents are asked as
    /// well.
    static func of(_ pid: Int) -> SSHSession? {
        var (next, seen): (Int?, Set<Int>) = (pid, [])
        while let process = next, process > 1, seen.insert(process).inserted {
            if let session = told(process) { return session }
            next = parent(of: process)
        }
        return nil
    }

    /// Those that have the address which it came to, or are named in one (`fe80::1%eth0`).
    func links(_ sight: LinkSight) -> [Int] {
        let own = sight.addresses.filter { $0.text.prefix { $0 != "/" } == server.prefix { $0 != "%" } }
        let zones = [client, server].compactMap { $0.split(separator: "%").dropFirst().first }
        let named = sight.links.filter { link in zones.contains { $0 == link.name } }.map(\.index)
        // All links may have the same address of the link alone.
        return zones.isEmpty ? own.map(\.link) : named
    }

    private static func told(_ pid: Int) -> SSHSession? {
        let line = text("/proc/\(pid)/environ").split(separator: "\0").first {
            $0.hasPrefix("SSH_CONNECTION=")
        }
        // Address and port of the client, then those of the server.
        let words = line?.dropFirst("SSH_CONNECTION=".count).split(separator: " ") ?? []
        guard words.count == 4 else { return nil }
        return SSHSession(client: String(words[0]), server: String(words[2]))
    }

    private static func parent(of pid: Int) -> Int? {
        let line = text("/proc/\(pid)/status").split(separator: "\n").first { $0.hasPrefix("PPid:") }
        return line?.split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) }
    }

    private static func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}
