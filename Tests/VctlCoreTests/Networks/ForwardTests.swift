// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

@testable import VctlCore

@Suite struct ForwardTests {
    private func lab(_ core: Core, _ bench: Bench) async throws {
        try await core.environment.watcher.resync()
        var create = NetworkCreate(name: try Name("lab"), model: .nat)
        create.subnet = .subnet(try Subnet(checking: "10.99.0.0/24"))
        _ = try await core.networks.create(create, bench.context("network.create"))
        await core.engine.idle()
        for name in ["web", "db"] {
            try await bench.make(name, on: core) { $0.networks = [NICSpec(network: .name("lab"))] }
        }
    }

    private func forward(_ ports: String, _ vm: String, at address: String? = nil) throws
        -> NetworkForwardCreate
    {
        var create = NetworkForwardCreate(
            protocol: .tcp, ports: try PortRange(checking: ports), vm: .name(vm))
        create.address = address.flatMap { IPAddress($0) }
        return create
    }

    private func add(_ create: NetworkForwardCreate, _ core: Core, _ bench: Bench) async throws {
        _ = try await core.networks.forward(.name("lab"), create, bench.context("network.forward.add"))
        await core.engine.idle()
    }

    private func refused(_ code: ErrorCode, _ body: () async throws -> Void) async {
        let problem = await #expect(throws: Problem.self) { try await body() }
        #expect(problem?.errorCode == code, "\(problem?.detail ?? "")")
    }

    @Test func aPortLeadsToOneVMAlone() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        try await lab(core, bench)
        try await add(try forward("8080-8090", "web"), core, bench)
        await refused(.forwardTaken) { try await add(try forward("8085", "db"), core, bench) }
        await refused(.forwardTaken) {
            try await add(try forward("8090", "db", at: "192.0.2.1"), core, bench)
        }
        var other = try forward("8085", "db")
        other.protocol = .udp
        try await add(other, core, bench)
        let all = try await core.inventory.read { try ForwardStore.all($0) }
        #expect(Set(all.map(\.vmAddress)).count == 2 && all.allSatisfy { $0.vmAddress.number != 0 })
        #expect(core.state.kept(.forward, NetworkForward.self).values.count == 2)
        await refused(.networkInUse) {
            let context = bench.context("network.reservation.remove")
            _ = try await core.networks.unreserve(.name("lab"), "web", context)
        }
        _ = try await core.vms.delete(.name("web"), keepDisks: false, bench.context("vm.delete"))
        await core.engine.idle()
        #expect(try await core.inventory.read { try ForwardStore.all($0) }.map(\.vm) == ["db"])
        #expect(core.state.kept(.forward, NetworkForward.self).values.map(\.vm) == ["db"])
        try await core.inventory.write { transaction in
            var vm = try #require(try VMStore.find(transaction.db, .name("db"))).value()
            vm.name = "base"
            try transaction.store(vm)
        }
        #expect(try await core.inventory.read { try ForwardStore.all($0) }.map(\.vm) == ["base"])
        try core.inventory.close()
    }

    @Test func theyFollowAGuestsIPv6Address() throws {
        let id = ObjectID()
        let one = try #require(PortRange(80, 80))
        let old = try #require(IPAddress("fd00::1"))
        let forward = NetworkForward(
            id: ObjectID(), network: "lab", networkID: ObjectID(), protocol: .tcp,
            address: IPAddress(.ipv6, 0),
            ports: one, vm: "web", vmID: id, mac: "52:54:00:00:00:01", vmAddress: old, vmPorts: one,
            createdAt: .now)
        func at(_ addresses: [String], mac: String = "52:54:00:00:00:01") -> String {
            var vm = VM(
                id: id, name: "web", state: .running, cpus: 1, memoryBytes: 1 << 20, managed: true,
                observedAt: .now)
            let known = addresses.map { VM.Address(address: $0, prefix: 64, source: .agent) }
            vm.nics = [VM.NIC(mac: mac, addresses: known)]
            return "\(forward.following(vm).vmAddress)"
        }
        #expect(at(["10.0.0.2", "fd00::2"]) == "fd00::2")
        #expect(at(["fd00::2", "fd00::1"]) == "fd00::1", "it has both")
        #expect(at(["fd00:1::2", "10.0.0.2"]) == "fd00::1", "another subnet")
        #expect(at([]) == "fd00::1", "it is off")
        #expect(at(["fd00::2"], mac: "52:54:00:00:00:02") == "fd00::1", "another NIC")
    }

    @Test func forwardsNeedANetworkThatCan() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        try await core.environment.watcher.resync()
        _ = try await core.networks.create(
            NetworkCreate(name: try Name("lab"), model: .isolated), bench.context("network.create"))
        await core.engine.idle()
        await refused(.networkNoService) { try await add(try forward("80", "web"), core, bench) }
        await refused(.forwardNotFound) {
            _ = try await core.networks.unforward(.name("lab"), "tcp:1", bench.context("x"))
        }
        try core.inventory.close()
    }

    @Test func addressesAreKeptOnce() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        try await lab(core, bench)
        let context = bench.context("network.reservation.add")
        func keep(_ vm: String, _ address: String) async throws {
            var request = NetworkReserve()
            (request.vm, request.address) = (.name(vm), IPAddress(address))
            let id = try await core.networks.reserve(.name("lab"), request, context).operationID
            await core.engine.idle()
            #expect(try await core.operations.get(.id(id)).status == .succeeded)
        }
        try await keep("web", "10.99.0.20")
        await refused(.networkReserved) { try await keep("web", "10.99.0.21") }
        await refused(.networkReserved) { try await keep("db", "10.99.0.20") }
        await refused(.requestInvalid) { try await keep("db", "10.98.0.20") }
        await refused(.requestInvalid) { try await keep("db", "10.99.0.1") }
        await refused(.requestInvalid) { try await keep("db", "10.99.0.255") }
        await refused(.vmNotFound) { try await keep("nobody", "10.99.0.30") }
        try core.inventory.close()
    }

    @Test func rulesAreForOutsideHostAndNeighbours() throws {
        var network = Network(
            id: ObjectID(), name: "lab", mode: "open", state: .running, observedAt: Timestamp(milliseconds: 0)
        )
        (network.model, network.managed, network.bridge) = (.nat, true, "vbr1")
        network.subnet = try Subnet(checking: "10.9.0.0/24")
        let forward = NetworkForward(
            id: ObjectID(), network: "lab", networkID: network.id, protocol: .tcp,
            address: IPAddress("0.0.0.0")!, ports: try PortRange(checking: "8080-8081"), vm: "web",
            vmID: ObjectID(), mac: "52:54:00:00:00:01", vmAddress: IPAddress("10.9.0.5")!,
            vmPorts: try PortRange(checking: "80-81"), createdAt: Timestamp(milliseconds: 0))
        let body = try #require(PacketRules([network], forwards: [forward]).body)
        let rule = """
            meta nfproto ipv4 fib daddr type local tcp dport 8080-8081 \
            dnat ip to 10.9.0.5 : tcp dport map { 8080 : 80, 8081 : 81 }
            """
        #expect(body.components(separatedBy: rule).count == 2)
        #expect(body.components(separatedBy: "    jump forwards_vbr1\n").count == 3)
        #expect(body.contains("chain returning_vbr1 {\n    ip saddr 10.9.0.0/24 ct status dnat masquerade\n"))
        #expect(
            body.contains(
                "chain entering_vbr1 {\n    ip daddr 127.0.0.0/8 ct state != { established, related } drop\n")
        )
        #expect(PacketRules([], forwards: [forward]).body == nil)
    }

    @Test func listeningPortsAreSeen() throws {
        let head = "  sl  local_address rem_address   st\n"
        let tree = try HostTree([
            "/proc/net/tcp": head + """
                0: 0100007F:0050 00000000:0000 0A 0
                1: 00000000:1F90 00000000:0000 0A 0
                2: 0100007F:C350 0100007F:0050 01 0

                """,
            "/proc/net/tcp6": head + "   0: 00000000000000000000000000000000:0016 0:0 0A 0\n",
        ])
        let listening = ListeningPorts(files: tree.files)
        let (all, local) = (IPAddress("0.0.0.0")!, IPAddress("127.0.0.1")!)
        let first = { (ports: String, address: IPAddress) in
            listening.first(of: try PortRange(checking: ports), .tcp, at: address)
        }
        #expect(try first("80", all) == 80 && first("80", local) == 80)
        #expect(try first("80", IPAddress("192.0.2.1")!) == nil)
        #expect(try first("8000-8090", IPAddress("192.0.2.1")!) == 8080)
        #expect(try first("22", all) == 22 && first("22", IPAddress("::")!) == 22)
        #expect(try first("50000", all) == nil)
    }
}
