// SPDX-License-Identifier: Apache-2.0
import Foundation
import HostNet
import VctlAPI

/// A change of a bridge that may cut the host off, and so goes back by itself unless somebody confirms it.
struct GuardedChange: Sendable {
    let way: WayBack
    private let bridge: KeptBridge
    private let links: MarkedLinks

    init(_ environment: VMEnvironment, _ bridge: KeptBridge) {
        way = WayBack(path: environment.state.wayBack(bridge.id))
        self.bridge = bridge
        links = MarkedLinks(host: environment.hostLinks, instance: environment.state.instance)
    }

    /// Notes how it is, and sets a guard on it. What an earlier change left is no business of this one.
    /// - Parameters:
    ///   - names: all links that the change is about.
    ///   - operation: the one that changes them.
    /// - Throws: ``Problem`` `bridge.state` where the time is over; `tool.missing` without a guard.
    func begin(_ names: [String], seconds: Int, _ operation: ObjectID) async throws {
        if way.order?.owner != operation.rawValue { way.forget() }
        switch way.state {
        case .open: break
        case .none:
            let snapshot = try await Blocking.run { [links, bridge] in
                try NetworkSnapshot(of: names, alias: links.mark(bridge.id))
            }
            let order = WayBack.Order(
                snapshot: snapshot, deadline: BootClock.seconds + seconds, owner: operation.rawValue)
            try StateDirectory.make((way.path as NSString).deletingLastPathComponent)
            try DurableFile.write(Array(try JSON.text(order).utf8), to: way.path)
        case .confirmed, .undoing, .undone: throw Self.over(bridge.name)
        }
        try await ensureGuard()
    }

    /// Starts a guard where none keeps watch, and waits until one does.
    func ensureGuard() async throws {
        guard !way.isGuarded else { return }
        try await GuardProcess.start(way.path)
        let end = BootClock.seconds + 10
        while !way.isGuarded {
            guard BootClock.seconds < end else {
                throw Problem(.toolFailed, "vctl-guard does not start", hint: "vctl-guard \(way.path)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Changes something, as long as the way back is open and watched.
    /// - Throws: ``Problem`` `bridge.state` where the time is over; what was changed goes back then.
    func change(_ body: (NetworkSnapshot) async throws -> Void) async throws {
        // What was noted before a reboot leads back to nothing that is there now.
        guard way.state == .open, let order = way.order, !order.isOfEarlierBoot else {
            throw Self.over(bridge.name)
        }
        try await ensureGuard()
        try await body(order.snapshot)
        guard way.state == .open else { throw Self.over(bridge.name) }
    }

    /// Brings back how it was, and forgets the guard.
    func undo() async throws {
        try await goBack(again: true)
        way.forget()
    }

    /// Brings back how it was. Where the guard is at it already, it is left to that.
    func goBack(again: Bool = false) async throws {
        try await Blocking.run { [way] in try way.undo(again: again) }
    }

    static func over(_ name: LinkName) -> Problem {
        Problem(
            .bridgeState, "the time to confirm bridge \(name) is over, and it has gone back",
            hint: "vctl bridge show \(name)")
    }
}

/// Starting `vctl-guard`, so that it outlives whoever starts it.
enum GuardProcess {
    static func start(_ order: String) async throws {
        let program = try program()
        // A service's processes end with it; a unit of its own does not.
        let isService = ProcessInfo.processInfo.environment["INVOCATION_ID"] != nil
        let isSystemd = FileManager.default.fileExists(atPath: "/run/systemd/system")
        if isService && isSystemd {
            let description = "--description=Way back of a change of the host's network"
            let options = ["--quiet", "--collect", "--no-block", description]
            try await Tool("systemd-run", options + ["--", program, order]).run()
        } else {
            // Whoever reads the tool's output to its end must not wait for the guard's.
            let command = "exec setsid --fork \"$0\" \"$1\" </dev/null >/dev/null 2>&1"
            try await Tool("sh", ["-c", command, program, order]).run()
        }
    }

    /// It is installed beside the daemon, or among the programs of everybody.
    private static func program() throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let folder = (own as NSString).deletingLastPathComponent
        let places = [folder, folder + "/../bin", "/usr/local/bin", "/usr/bin"].map { $0 + "/vctl-guard" }
        guard let found = places.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
            throw Problem(
                .toolMissing, "vctl-guard is not installed, so nothing would undo the change",
                hint: "install it at \(places[0])")
        }
        return found
    }
}
