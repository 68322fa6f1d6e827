// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VctlCore

extension HandlerTable {
    mutating func addLinks(_ core: Core) {
        addTAPs(core)
        addBridges(core)
    }

    private mutating func addBridges(_ core: Core) {
        let bridges = core.bridges
        on("bridge.list") { $0.reply(try await bridges.list(try $0.query.list())) }
        on("bridge.create", BridgeCreate.self) { try $0.reply(try await bridges.create($1, $0.context)) }
        on("bridge.show") { $0.reply(try await bridges.show(try $0.reference())) }
        on("bridge.set", BridgePatch.self) {
            try $0.reply(try await bridges.set(try $0.reference(), $1, $0.context))
        }
        on("bridge.delete") { incoming in
            let seconds = incoming.query.number("confirmTimeoutSeconds").map { Int($0) }
            return try incoming.reply(
                try await bridges.delete(try incoming.reference(), seconds: seconds, incoming.context))
        }
        for (id, keep) in [("bridge.confirm", true), ("bridge.rollback", false)] {
            on(id, Empty.self) { incoming, _ in
                let bridge = try incoming.reference()
                guard !incoming.context.dryRun else {
                    return try .json(try await bridges.preview(bridge, keep: keep, incoming.context))
                }
                return try .json(try await bridges.decide(bridge, keep: keep, incoming.context))
            }
        }
    }

    private mutating func addTAPs(_ core: Core) {
        let taps = core.taps
        on("tap.list") { $0.reply(try await taps.list(try $0.query.list())) }
        on("tap.create", TAPCreate.self) { try $0.reply(try await taps.create($1, $0.context)) }
        on("tap.show") { $0.reply(try await taps.show(try $0.reference())) }
        on("tap.delete") { try $0.reply(try await taps.delete(try $0.reference(), $0.context)) }
    }
}
