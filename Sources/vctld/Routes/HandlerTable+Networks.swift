// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VctlCore

extension HandlerTable {
    mutating func addNetworks(_ core: Core) {
        let networks = core.networks
        addNetworkParts(networks)
        on("network.list") { incoming in
            var page = try await networks.list(try incoming.query.list())
            page.observedAt = core.host.observedAt
            return incoming.reply(page)
        }
        on("network.show") { $0.reply(try await networks.show(try $0.reference())) }
        on("network.create", NetworkCreate.self) { try $0.reply(try await networks.create($1, $0.context)) }
        on("network.set", NetworkPatch.self) {
            try $0.reply(try await networks.set(try $0.reference(), $1, $0.context))
        }
        on("network.delete") { try $0.reply(try await networks.delete(try $0.reference(), $0.context)) }
        on("network.start", Empty.self) { incoming, _ in
            try incoming.reply(try await networks.start(try incoming.reference(), incoming.context))
        }
        on("network.stop", Empty.self) { incoming, _ in
            try incoming.reply(try await networks.stop(try incoming.reference(), incoming.context))
        }
        on("network.adopt", NetworkAdopt.self) {
            try $0.reply(try await networks.adopt(try $0.reference(), $1, $0.context))
        }
        on("network.check", Empty.self) { incoming, _ in
            incoming.reply(try await networks.check(try incoming.reference(), incoming.context))
        }
        on("network.release", Empty.self) { incoming, _ in
            try incoming.reply(try await networks.release(try incoming.reference(), incoming.context))
        }
    }

    private mutating func addForwards(_ networks: NetworkService) {
        on("network.forward.list") {
            $0.reply(try await networks.forwards(try $0.reference(), try $0.query.list()))
        }
        on("network.forward.add", NetworkForwardCreate.self) {
            try $0.reply(try await networks.forward(try $0.reference(), $1, $0.context))
        }
        on("network.forward.remove") {
            try $0.reply(try await networks.unforward(try $0.reference(), $0.parameters[1], $0.context))
        }
    }

    private mutating func addNetworkParts(_ networks: NetworkService) {
        addForwards(networks)
        on("network.leases") {
            $0.reply(try await networks.leases(try $0.reference(), try $0.query.list()))
        }
        on("network.reservation.list") {
            $0.reply(try await networks.reservations(try $0.reference(), try $0.query.list()))
        }
        on("network.reservation.add", NetworkReserve.self) {
            try $0.reply(try await networks.reserve(try $0.reference(), $1, $0.context))
        }
        on("network.reservation.remove") {
            try $0.reply(try await networks.unreserve(try $0.reference(), $0.parameters[1], $0.context))
        }
        on("network.dns.list") {
            $0.reply(try await networks.records(try $0.reference(), try $0.query.list()))
        }
        on("network.dns.add", NetworkRecord.self) {
            try $0.reply(try await networks.addRecord(try $0.reference(), $1, $0.context))
        }
        on("network.dns.remove") {
            try $0.reply(try await networks.removeRecord(try $0.reference(), $0.parameters[1], $0.context))
        }
    }
}
