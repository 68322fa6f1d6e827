// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI
import VctlClient

extension RealGuests {
    /// `kill -9` of the daemon at many moments: afterwards there is the whole or nothing of it.
    @Suite(.hosted("crash"))
    struct Crash {
        static let moments = 12

        @Test func whileAVMIsMade() throws {
            let lab = try Lab.current
            let whole = try duration(lab, try creation("measured"), key: "measured")
            try lab.remove("measured")
            for moment in 0..<Self.moments {
                let name = "c\(moment)"
                let request = try creation(name)
                let first = try crashed(lab, request, key: name, after: whole * Double(moment) / 10)
                try settled(lab)
                try checkWholeOrNothing(lab, name)
                let known = try first ?? operation(lab, on: name)
                let again = try post(lab.client(), request, key: name)
                if let known {
                    #expect(again.id == known, "moment \(moment): the key gave another operation")
                }
                let end = try ended(lab, again.id)
                #expect(end.status == .succeeded, "moment \(moment): \(String(describing: end.error))")
                #expect(try lab.vm(name).state == .running)
                try checkWholeOrNothing(lab, name)
                try lab.remove(name)
                try checkNothing(lab, name)
            }
        }

        @Test func whileAVMIsDeleted() throws {
            let lab = try Lab.current
            try lab.create("measured", "--no-start")
            let whole = try duration(lab, deletion("measured"), key: nil)
            for moment in 0..<Self.moments {
                let name = "d\(moment)"
                try lab.create(name, "--no-start")
                _ = try crashed(lab, deletion(name), key: nil, after: whole * Double(moment) / 10)
                try settled(lab)
                try checkWholeOrNothing(lab, name)
                try lab.remove(name)
                try checkNothing(lab, name)
            }
        }

        @Test func whileAnImageIsImported() throws {
            let lab = try Lab.current
            let source = try lab.publish("\(Lab.images)/tiny.qcow2")
            let server = try Child(
                lab.vhostCommand(
                    "exec", lab.name, "python3", "-m", "http.server", "8098", "--bind", "127.0.0.1",
                    "--directory", URL(fileURLWithPath: source).deletingLastPathComponent().path),
                environment: ["VCTL_LAB": Lab.base])
            defer {
                server.signal(SIGKILL)
                _ = server.wait(seconds: 10)
            }
            try eventually("the web server answers") {
                try lab.inside("curl", "-sSI", "http://127.0.0.1:8098/").status == 0
            }
            let whole = try duration(lab, importing("measured"), key: "image-measured")
            for moment in 0..<Self.moments {
                let name = "i\(moment)"
                let first = try crashed(
                    lab, importing(name), key: "image-\(name)", after: whole * Double(moment) / 10)
                try settled(lab)
                let again = try post(lab.client(), importing(name), key: "image-\(name)")
                if let first { #expect(again.id == first) }
                #expect(try ended(lab, again.id).status == .succeeded)
                #expect(try lab.image(name).state == .ready)
                try lab.must("image", "delete", name, "--yes")
                let id = "\(again.result?.id ?? again.resources[0].id)"
                #expect(lab.list("\(lab.state)/images").filter { $0.hasPrefix(id) } == [])
                #expect(lab.list("\(lab.state)/incoming") == [])
            }
            try lab.must("image", "delete", "measured", "--yes")
        }
    }
}

private func creation(_ name: String) throws -> Request {
    var body = VMCreate(name: try Name(name))
    body.image = Reference("tiny")
    body.memoryBytes = try ByteCount(bytes: 134_217_728)
    return try Request(method: "POST", target: "/v1/vms").json(body)
}

private func deletion(_ name: String) -> Request { Request(method: "DELETE", target: "/v1/vms/\(name)") }

private func importing(_ name: String) throws -> Request {
    Request(method: "POST", target: "/v1/images").bytes(
        Array(#"{"name":"\#(name)","url":"http://127.0.0.1:8098/tiny.qcow2"}"#.utf8), as: "application/json")
}

private func post(_ client: Client, _ request: Request, key: String?) throws -> VctlAPI.Operation {
    let request = key.map { request.header("Idempotency-Key", $0) } ?? request
    return try client.send(request).decoded()
}

/// How long an uninterrupted one takes, in seconds.
private func duration(_ lab: Lab, _ request: Request, key: String?) throws -> Double {
    let begin = Clock.now
    let accepted = try post(lab.client(), request, key: key)
    #expect(try ended(lab, accepted.id).status == .succeeded)
    return Clock.now - begin
}

/// Sends a request, kills the daemon so many seconds later, starts it again, and gives the id of the
/// operation where the reply arrived before.
private func crashed(_ lab: Lab, _ request: Request, key: String?, after seconds: Double) throws -> ObjectID?
{
    let answers = try atOnce(2) { index -> ObjectID? in
        guard index == 0 else {
            usleep(UInt32(seconds * 1e6))
            try lab.crash()
            return nil
        }
        // Lost together with the daemon: that is the point.
        return try? post(lab.client(), request, key: key).id
    }
    try lab.startDaemon()
    return answers[0]
}

private func ended(_ lab: Lab, _ id: ObjectID) throws -> VctlAPI.Operation {
    var operation: VctlAPI.Operation?
    try eventually("operation \(id) ends", seconds: 120) {
        let request = Request(method: "GET", target: "/v1/operations/\(id)/wait?timeout=10s")
        operation = try lab.client().exchange(request, waiting: 10).decoded()
        return operation?.status.isFinal == true || operation?.status == .stuck
    }
    return try #require(operation)
}

private func settled(_ lab: Lab) throws {
    try eventually("every operation ends", seconds: 120) {
        try lab.operations().allSatisfy { $0.status.isFinal }
    }
}

private func operation(_ lab: Lab, on name: String) throws -> ObjectID? {
    try lab.operations().first { $0.kind == "vm.create" && $0.resources.contains { $0.name == name } }?.id
}

private func checkWholeOrNothing(_ lab: Lab, _ name: String) throws {
    guard let vm = try lab.vms().first(where: { $0.name == name }) else { return try checkNothing(lab, name) }
    #expect(try lab.domains().count { $0 == name } == 1)
    #expect(vm.managed && vm.state != .missing)
    #expect(lab.list(lab.pool).count { $0.hasPrefix("\(name)-") } == 1)
    #expect(lab.list("\(lab.state)/seeds").contains("\(vm.id)"))
}

/// No row, domain or disk of that name, and no seed or console log of a VM that is not there.
private func checkNothing(_ lab: Lab, _ name: String) throws {
    let vms = try lab.vms()
    #expect(!vms.contains { $0.name == name })
    #expect(try lab.domains().contains(name) == false)
    #expect(lab.list(lab.pool).filter { $0.hasPrefix("\(name)-") } == [])
    let ids = Set(vms.map { "\($0.id)" })
    #expect(lab.list("\(lab.state)/seeds").filter { !ids.contains($0) } == [])
    #expect(lab.list("\(lab.state)/console").filter { !ids.contains(String($0.prefix(36))) } == [])
}
