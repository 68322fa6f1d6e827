// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI

@testable import VctlCore

extension Scenario {
    static let networks: [Scenario] =
        models + [
            Scenario(name: "forward a port", kind: "network.forward", prepare: used) { bench, core in
                let context = bench.context("network.forward.add")
                return try await core.networks.forward(.name("lab"), try web(), context).operationID
            },
            Scenario(name: "forward a port no more", kind: "network.forward", prepare: forwarded) {
                bench, core in
                let context = bench.context("network.forward.remove")
                return try await core.networks.unforward(.name("lab"), "tcp:8080", context).operationID
            },
            Scenario(name: "a VM with an address of its own", kind: "vm.create", prepare: based) {
                bench, core in
                var create = VMCreate(name: try Name("web"))
                (create.image, create.networks, create.start) = (.name("base"), [try own("10.99.0.7")], false)
                return try await core.vms.create(create, bench.context("vm.create")).operationID
            },
            Scenario(name: "another address of its own", kind: "vm.nic", prepare: owning) { bench, core in
                var patch = VMNICPatch()
                patch.ip = Removable([try IPAddress(checking: "10.99.0.8")])
                let context = bench.context("vm.nic.set")
                return try await core.vms.setNIC(.name("web"), ownMAC, patch, context).operationID
            },
            Scenario(name: "remove a NIC with an address", kind: "vm.nic", prepare: owning) { bench, core in
                let context = bench.context("vm.nic.remove")
                return try await core.vms.removeNIC(.name("web"), ownMAC, context).operationID
            },
            Scenario(name: "delete a VM with an address", kind: "vm.delete", prepare: owning) {
                bench, core in
                try await core.vms.delete(
                    .name("web"), keepDisks: false, bench.context("vm.delete")
                ).operationID
            },
            Scenario(name: "keep an address", kind: "network.define", prepare: used) { bench, core in
                var request = NetworkReserve()
                request.vm = .name("web")
                let context = bench.context("network.reservation.add")
                return try await core.networks.reserve(.name("lab"), request, context).operationID
            },
        ]

    private static func web() throws -> NetworkForwardCreate {
        var create = NetworkForwardCreate(
            protocol: .tcp, ports: try PortRange(checking: "8080"), vm: .name("web"))
        create.vmPort = 80
        return create
    }

    @Sendable private static func used(_ bench: Bench, _ core: Core) async throws {
        try await made(bench, core)
        try await bench.make("web", on: core) { $0.networks = [NICSpec(network: .name("lab"))] }
    }

    private static let ownMAC = "52:54:00:99:00:01"

    private static func own(_ address: String) throws -> NICSpec {
        var nic = NICSpec(network: .name("lab"))
        (nic.mac, nic.ip) = (ownMAC, [try IPAddress(checking: address)])
        return nic
    }

    @Sendable private static func based(_ bench: Bench, _ core: Core) async throws {
        try await made(bench, core)
        _ = try await bench.upload("base", to: core)
        await core.engine.idle()
    }

    @Sendable private static func owning(_ bench: Bench, _ core: Core) async throws {
        try await made(bench, core)
        let nic = try own("10.99.0.7")
        try await bench.make("web", on: core) { $0.networks = [nic] }
    }

    @Sendable private static func forwarded(_ bench: Bench, _ core: Core) async throws {
        try await used(bench, core)
        _ = try await core.networks.forward(.name("lab"), try web(), bench.context("network.forward.add"))
        await core.engine.idle()
    }

    private static let models: [Scenario] = [
        Scenario(name: "NAT network", kind: "network.create", prepare: seen) { bench, core in
            try await core.networks.create(try lab(), bench.context("network.create")).operationID
        },
        Scenario(name: "isolated network, not started", kind: "network.create", prepare: seen) {
            bench, core in
            var create = NetworkCreate(name: try Name("deep"), model: .isolated)
            create.start = false
            return try await core.networks.create(create, bench.context("network.create")).operationID
        },
        Scenario(name: "delete a network", kind: "network.delete", prepare: made) { bench, core in
            try await core.networks.delete(.name("lab"), bench.context("network.delete")).operationID
        },
        Scenario(name: "stop a network", kind: "network.power", prepare: made) { bench, core in
            try await core.networks.stop(.name("lab"), bench.context("network.stop")).operationID
        },
        Scenario(name: "start a network", kind: "network.power", prepare: stopped) { bench, core in
            try await core.networks.start(.name("lab"), bench.context("network.start")).operationID
        },
        Scenario(name: "change a network", kind: "network.define", prepare: made) { bench, core in
            var patch = NetworkPatch()
            patch.labels = ["env": "lab"]
            patch.autostart = false
            patch.dhcpRanges = []
            return try await core.networks.set(.name("lab"), patch, bench.context("network.set")).operationID
        },
        Scenario(name: "change a network with a restart", kind: "network.define", prepare: made) {
            bench, core in
            var patch = NetworkPatch()
            patch.mtu = Removable<Int>(1400)
            var context = bench.context("network.set")
            context.force = true
            return try await core.networks.set(.name("lab"), patch, context).operationID
        },
        Scenario(name: "adopt a network", kind: "network.define", prepare: seen) { bench, core in
            let context = bench.context("network.adopt")
            return try await core.networks.adopt(.name("default"), NetworkAdopt(), context).operationID
        },
        Scenario(name: "release a network", kind: "network.define", prepare: made) { bench, core in
            try await core.networks.release(.name("lab"), bench.context("network.release")).operationID
        },
    ]

    private static func lab() throws -> NetworkCreate {
        var create = NetworkCreate(name: try Name("lab"), model: .nat)
        create.subnet = .subnet(try Subnet(checking: "10.99.0.0/24"))
        create.labels = ["a": "b"]
        return create
    }

    @Sendable private static func seen(_ bench: Bench, _ core: Core) async throws {
        try await core.environment.watcher.resync()
    }

    @Sendable private static func made(_ bench: Bench, _ core: Core) async throws {
        try await seen(bench, core)
        _ = try await core.networks.create(try lab(), bench.context("network.create"))
        await core.engine.idle()
    }

    @Sendable private static func stopped(_ bench: Bench, _ core: Core) async throws {
        try await made(bench, core)
        _ = try await core.networks.stop(.name("lab"), bench.context("network.stop"))
        await core.engine.idle()
    }
}
