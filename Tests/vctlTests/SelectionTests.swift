// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Testing

@testable import vctl

/// Which VMs a verb is for.
@Suite struct SelectionTests {
    private let rows = #"""
        [{"id":"1","name":"web1","managed":true},{"id":"2","name":"web2","managed":false},\#
        {"id":"3","name":"db1","managed":true}]
        """#

    /// The names of the VMs that are asked to stop.
    private func stopped(_ flags: String...) throws -> [String] {
        // Ctrl-C is watched from the first change on, over another connection.
        let answers = (0..<3).flatMap { _ in [RawServer.Step.request, problem(409, "vm.busy")] }
        let server = try RawServer([[.request, json(rows)], answers])
        _ = try Program.run(["vm", "stop"] + flags, socket: server.path)
        #expect(server.requests.first?.contains("fields=id%2Cname%2Cmanaged ") == true)
        return server.requests.dropFirst().compactMap { $0.split(separator: "/").dropFirst(3).first }
            .map(String.init)
    }

    @Test func managedOnesAreOursAndNoOthers() throws {
        #expect(try stopped("--managed") == ["web1", "db1"])
        #expect(try stopped("--managed", "--vms", "web*") == ["web1"])
        let server = try RawServer([[.request, json(rows)]])
        let list = try Program.run(["vm", "list", "--managed", "--format", "name"], socket: server.path)
        #expect(list.out == "web1\ndb1\n", "\(list)")
    }

    @Test func aNameIsNoSelection() throws {
        let result = try Program.run(["vm", "stop", "web2", "--managed"])
        #expect(result.status == 64 && result.err.contains("--managed does not go with names"), "\(result)")
    }

    /// What systemd runs when the host goes down; it expands nothing, and knows no quotes that we need.
    @Test func theServiceStopsNoVMOfOthers() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../systemd/vctl-guests.service")
        let unit = try String(contentsOf: path, encoding: .utf8)
        let line = try #require(unit.split(separator: "\n").first { $0.hasPrefix("ExecStop=") })
        let words = line.split(separator: " ").dropFirst().map(String.init)
        let stop = try #require(try Vctl.parseAsRoot(words) as? VMStopCommand)
        #expect(stop.options.targets.selection.managed && stop.options.targets.names.isEmpty)
        #expect(stop.inOrder && stop.stop.force)
    }
}
