// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// The event stream, followed by `curl`.
    @Suite(.hosted("events"))
    struct Events {
        @Test func aResumedStreamHasNoGapAndNoDouble() throws {
            let lab = try Lab.current
            let begin = try lab.lastEvent()
            let steady = try Follower(lab, since: begin)
            defer { steady.end() }
            var pieces: [Int64] = []
            for round in 0..<4 {
                let piece = try Follower(lab, after: pieces.last ?? begin)
                try changes(lab, round)
                try eventually("the cut one has seen something new") { piece.sequences.count > 3 }
                piece.end()
                pieces += piece.sequences
                // These happen while nobody but the steady one listens.
                try changes(lab, round + 100)
            }
            let last = try lab.lastEvent()
            let piece = try Follower(lab, after: pieces.last ?? begin)
            defer { piece.end() }
            try eventually("both have seen all") {
                piece.sequences.last == last && steady.sequences.last == last
            }
            pieces += piece.sequences
            #expect(pieces == steady.sequences)
            #expect(pieces == Array(begin + 1...last))
            #expect(try lab.events(since: begin).map(\.sequence) == pieces)
        }

        private func changes(_ lab: Lab, _ round: Int) throws {
            let name = "e\(round)"
            try lab.create(name, "--no-start")
            try lab.must("vm", "set", name, "--label", "round=\(round)")
            try lab.remove(name)
        }

        @Test func whatOthersDoIsAnEventOfLibvirts() throws {
            let lab = try Lab.current
            let begin = try lab.lastEvent()
            let follower = try Follower(lab, since: begin)
            defer { follower.end() }
            try lab.virsh("define", lab.write("other.xml", Foreign.domain("other")))
            try eventually("the define is seen") { follower.types(of: "other") == ["vm.created"] }
            try lab.virsh("start", "other")
            try eventually("the start is seen") { follower.types(of: "other").contains("vm.started") }
            try lab.virsh("destroy", "other")
            try eventually("the destroy is seen") { follower.types(of: "other").contains("vm.stopped") }
            try lab.virsh("undefine", "other")
            try eventually("the undefine is seen") { follower.types(of: "other").last == "vm.deleted" }
            #expect(
                follower.events.filter { $0.subject?.name == "other" }.allSatisfy { $0.origin == .libvirt })
        }

        /// libvirt's own way to a running guest passes a state that looks like a pause.
        @Test func aStartIsNoPause() throws {
            let lab = try Lab.current
            let begin = try lab.lastEvent()
            for round in 0..<3 {
                try lab.create("s\(round)", "--network", "none")
                try lab.remove("s\(round)")
                let types = try lab.events(since: begin).filter { $0.subject?.name == "s\(round)" }.map(
                    \.type)
                #expect(types.first == "vm.created" && types.last == "vm.deleted", "\(types)")
                #expect(types.contains("vm.started"), "\(types)")
                #expect(!types.contains("vm.paused") && !types.contains("vm.resumed"), "\(types)")
            }
        }

        @Test func aRestartOfTheDaemonGoesOnCounting() throws {
            let lab = try Lab.current
            let begin = try lab.lastEvent()
            try lab.create("over", "--no-start")
            let middle = try lab.lastEvent()
            try lab.crash()
            try lab.startDaemon()
            try lab.remove("over")
            let events = try lab.events(since: begin)
            #expect(events.map(\.sequence) == Array(begin + 1..<begin + 1 + Int64(events.count)))
            #expect(events.contains { $0.type == "vm.deleted" && $0.sequence > middle })
        }
    }
}

/// A `curl` on the event stream, which prints into a file.
private final class Follower: Sendable {
    private let child: Child

    init(_ lab: Lab, since sequence: Int64) throws {
        child = try Child(lab.curlCommand() + ["-N", "http://vctld/v1/events?since=\(sequence)"])
    }

    init(_ lab: Lab, after sequence: Int64) throws {
        child = try Child(
            lab.curlCommand() + ["-N", "-H", "Last-Event-ID: \(sequence)", "http://vctld/v1/events"])
    }

    /// Cuts the stream off.
    func end() {
        child.signal(SIGKILL)
        _ = child.wait(seconds: 10)
    }

    /// The events that have arrived whole.
    var events: [Event] {
        let whole = child.outcome(status: 0).out.components(separatedBy: "\n\n").dropLast()
        return whole.compactMap { block in
            let data = block.split(separator: "\n").first { $0.hasPrefix("data: ") }
            return data.flatMap { try? decode(Event.self, String($0.dropFirst(6))) }
        }
    }

    var sequences: [Int64] { events.map(\.sequence) }

    func types(of name: String) -> [String] { events.filter { $0.subject?.name == name }.map(\.type) }
}
