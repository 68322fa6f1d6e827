// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import NIOCore
import VctlAPI
import VctlCore

extension HandlerTable {
    mutating func addVMs(_ core: Core) {
        let vms = core.vms
        on("vm.list") { incoming in
            var page = try await vms.list(try incoming.query.list())
            page.observedAt = core.host.observedAt
            return incoming.reply(page)
        }
        on("vm.create", VMCreate.self) { try $0.reply(try await vms.create($1, $0.context)) }
        on("vm.show") { $0.reply(try await vms.show(try $0.reference())) }
        on("vm.delete") {
            let keep = $0.query.flag("keepDisks")
            return try $0.reply(try await vms.delete(try $0.reference(), keepDisks: keep, $0.context))
        }
        on("vm.start", VMStart.self) { try $0.reply(try await vms.start(try $0.reference(), $1, $0.context)) }
        on("vm.stop", VMStop.self) { try $0.reply(try await vms.stop(try $0.reference(), $1, $0.context)) }
        on("vm.restart", VMRestart.self) {
            try $0.reply(try await vms.restart(try $0.reference(), $1, $0.context))
        }
        on("vm.reset", Empty.self) { incoming, _ in
            try incoming.reply(try await vms.reset(try incoming.reference(), incoming.context))
        }
        on("vm.pause", Empty.self) { incoming, _ in
            try incoming.reply(try await vms.pause(try incoming.reference(), incoming.context))
        }
        on("vm.resume", Empty.self) { incoming, _ in
            try incoming.reply(try await vms.resume(try incoming.reference(), incoming.context))
        }
        on("vm.suspend", Empty.self) { incoming, _ in
            try incoming.reply(try await vms.suspend(try incoming.reference(), incoming.context))
        }
        on("vm.adopt", VMAdopt.self) { try $0.reply(try await vms.adopt(try $0.reference(), $1, $0.context)) }
        on("vm.publish", VMPublish.self) {
            try $0.reply(try await vms.publish(try $0.reference(), $1, $0.context))
        }
        on("vm.clone", VMClone.self) { try $0.reply(try await vms.clone(try $0.reference(), $1, $0.context)) }
        on("vm.release", Empty.self) { incoming, _ in
            try incoming.reply(try await vms.release(try incoming.reference(), incoming.context))
        }
        on("vm.set", VMPatch.self) { incoming, patch in
            switch try await vms.set(try incoming.reference(), patch, incoming.context) {
            case .vm(let vm): incoming.reply(vm)
            case .preview(let preview): try .json(preview)
            }
        }
        on("statistics") { _ in try .json(try await vms.statistics()) }
        addConsoles(vms)
        addLines(vms)
        addScreens(vms)
        addAgent(vms)
        addDevices(vms)
    }

    private mutating func addScreens(_ vms: VMService) {
        on("vm.screenshot") { incoming in
            let png = try await vms.screenshot(try incoming.reference(), incoming.context)
            let headers: HTTPFields = [.contentType: "image/png", .cacheControl: "no-store"]
            return Reply(.ok, headers, body: .bytes(ByteBuffer(bytes: png)))
        }
    }

    private mutating func addConsoles(_ vms: VMService) {
        on("vm.wait", VMWait.self) { incoming, wait in
            let vm = try incoming.reference()
            return try .json(try await incoming.connection.whileThere { try await vms.wait(vm, wait) })
        }
        on("vm.xml") { incoming in
            let xml = try await vms.xml(try incoming.reference(), inactive: incoming.query.flag("inactive"))
            return Reply(text: xml, "application/xml")
        }
    }

    private mutating func addLines(_ vms: VMService) {
        on("vm.console") { try await Self.join(vms, $0) }
        on("vm.console.show") { try .json(try await vms.consoleStatus(try $0.reference())) }
        on("vm.console.log") { incoming in
            let log = try await vms.consoleLog(
                try incoming.reference(), follow: incoming.query.flag("follow"),
                tail: incoming.query.number("tail"))
            let headers: HTTPFields = [.contentType: Self.bytes, .cacheControl: "no-store"]
            return Reply(
                .ok, headers,
                body: .stream { sink in
                    for try await bytes in log { try await sink.write(ByteBuffer(bytes: bytes)) }
                })
        }
        on("vm.console.input") { incoming in
            let bytes = try await incoming.body.collect(upTo: Wire.maximumBody)
            let vm = try incoming.reference()
            // A guest that reads nothing may never take it.
            try await incoming.connection.whileThere {
                try await vms.consoleInput(vm, bytes, incoming.context)
            }
            return .nothing
        }
    }

    private static func join(_ vms: VMService, _ incoming: Incoming) async throws -> Reply {
        try incoming.requireUpgrade()
        var wish = ConsoleWish()
        wish.readOnly = incoming.query.flag("readOnly")
        wish.force = incoming.context.force
        wish.tail = incoming.query.number("tail") ?? 0
        let session = try await vms.console(try incoming.reference(), wish, incoming.context)
        return Reply.switching([.session: session.id.rawValue]) { stream in
            await session.run(
                ConsolePeer(
                    read: { try await stream.read().map { Array($0.readableBytesView) } },
                    write: { try await stream.write(ByteBuffer(bytes: $0)) }))
        }
    }

    private static let bytes = "application/octet-stream"
}
