// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI

@testable import VctlCore

/// One way to use a kind of operation: what must be there before, and the request itself.
struct Scenario: Sendable {
    var name: String
    /// The kind that it shows, as in the journal.
    var kind: String
    var prepare: @Sendable (Bench, Core) async throws -> Void
    /// Sends the request and returns the accepted operation.
    var act: @Sendable (Bench, Core) async throws -> ObjectID
}

extension Scenario {
    /// At least one for each kind of operation; the matrix fails for a kind that has none.
    static let all: [Scenario] =
        pools + [
            Scenario(name: "image import", kind: "image.import", prepare: { _, _ in }) { bench, core in
                try await bench.upload("base", to: core)
            },
            Scenario(name: "image delete", kind: "image.delete", prepare: imported) { bench, core in
                try await core.images.delete(.name("base"), bench.context("image.delete")).operationID
            },
            Scenario(name: "linked VM, started", kind: "vm.create", prepare: imported) { bench, core in
                try await core.vms.create(try linked(), bench.context("vm.create")).operationID
            },
            Scenario(name: "full VM, not started", kind: "vm.create", prepare: imported) { bench, core in
                var create = try linked()
                create.clone = .full
                create.start = false
                create.disks = [DiskSpec(), DiskSpec(sizeBytes: try ByteCount("8M"))]
                return try await core.vms.create(create, bench.context("vm.create")).operationID
            },
            Scenario(name: "VM of a definition", kind: "vm.define", prepare: { _, _ in }) { bench, core in
                var create = VMCreate(name: try Name("given"))
                create.xml = Secret(definition("other"))
                return try await core.vms.create(create, bench.context("vm.create")).operationID
            },
            Scenario(name: "delete a running VM", kind: "vm.delete", prepare: created) { bench, core in
                try await core.vms.delete(.name("web"), keepDisks: false, bench.context("vm.delete"))
                    .operationID
            },
            Scenario(name: "stop", kind: "vm.power", prepare: created) { bench, core in
                var stop = VMStop()
                stop.graceSeconds = 30
                return try await core.vms.stop(.name("web"), stop, bench.context("vm.stop")).operationID
            },
            Scenario(name: "restart by force", kind: "vm.power", prepare: created) { bench, core in
                var restart = VMRestart()
                restart.force = true
                return try await core.vms.restart(.name("web"), restart, bench.context("vm.restart"))
                    .operationID
            },
            Scenario(name: "pause", kind: "vm.power", prepare: created) { bench, core in
                try await core.vms.pause(.name("web"), bench.context("vm.pause")).operationID
            },
            Scenario(name: "adopt", kind: "vm.mark", prepare: foreign) { bench, core in
                try await core.vms.adopt(.name("theirs"), VMAdopt(), bench.context("vm.adopt")).operationID
            },
            Scenario(name: "release", kind: "vm.mark", prepare: created) { bench, core in
                try await core.vms.release(.name("web"), bench.context("vm.release")).operationID
            },
        ] + devices + copies + keeping + networks + links

    private static let devices: [Scenario] = [
        Scenario(name: "add a disk", kind: "vm.disk", prepare: stopped) { bench, core in
            var add = VMDiskAdd()
            add.sizeBytes = try ByteCount("8M")
            return try await core.vms.addDisk(.name("web"), add, bench.context("vm.disk.add")).operationID
        },
        Scenario(name: "grow a disk", kind: "vm.disk", prepare: stopped) { bench, core in
            let resize = VMDiskResize(sizeBytes: try ByteCount("16M"))
            let context = bench.context("vm.disk.resize")
            return try await core.vms.resizeDisk(.name("web"), "vda", resize, context).operationID
        },
        Scenario(name: "remove a disk", kind: "vm.disk", prepare: stopped) { bench, core in
            let context = bench.context("vm.disk.remove")
            return try await core.vms.removeDisk(.name("web"), "vdb", keepDisks: false, context).operationID
        },
        Scenario(name: "add a NIC", kind: "vm.nic", prepare: stopped) { bench, core in
            let nic = NICSpec(network: .name("default"))
            return try await core.vms.addNIC(.name("web"), nic, bench.context("vm.nic.add")).operationID
        },
        Scenario(name: "pull a cable", kind: "vm.nic", prepare: stopped) { bench, core in
            var patch = VMNICPatch()
            patch.link = false
            let context = bench.context("vm.nic.set")
            return try await core.vms.setNIC(.name("web"), mac, patch, context).operationID
        },
        Scenario(name: "add a NIC to boot from", kind: "vm.nic", prepare: stopped) { bench, core in
            var nic = NICSpec(network: .name("default"))
            (nic.boot, nic.mtu) = (1, try MTU(checking: 1400))
            return try await core.vms.addNIC(.name("web"), nic, bench.context("vm.nic.add")).operationID
        },
        Scenario(name: "change a NIC", kind: "vm.nic", prepare: stopped) { bench, core in
            var patch = VMNICPatch()
            (patch.mtu, patch.boot) = (Removable(try MTU(checking: 1400)), Removable(1))
            let context = bench.context("vm.nic.set")
            return try await core.vms.setNIC(.name("web"), mac, patch, context).operationID
        },
        Scenario(name: "add a guarded NIC", kind: "vm.nic", prepare: stopped) { bench, core in
            var nic = NICSpec(network: .name("default"))
            nic.antiSpoofing = true
            return try await core.vms.addNIC(.name("web"), nic, bench.context("vm.nic.add")).operationID
        },
        Scenario(name: "guard a NIC", kind: "vm.nic", prepare: stopped) { bench, core in
            var patch = VMNICPatch()
            (patch.antiSpoofing, patch.ip) = (true, Removable([IPAddress("192.168.122.9")!]))
            let context = bench.context("vm.nic.set")
            return try await core.vms.setNIC(.name("web"), mac, patch, context).operationID
        },
        Scenario(name: "remove a NIC", kind: "vm.nic", prepare: stopped) { bench, core in
            try await core.vms.removeNIC(.name("web"), mac, bench.context("vm.nic.remove")).operationID
        },
        Scenario(name: "suspend", kind: "vm.power", prepare: created) { bench, core in
            try await core.vms.suspend(.name("web"), bench.context("vm.suspend")).operationID
        },
    ]

    private static let keeping: [Scenario] = [
        Scenario(name: "resume", kind: "vm.power", prepare: paused) { bench, core in
            try await core.vms.resume(.name("web"), bench.context("vm.resume")).operationID
        },
        Scenario(name: "start what was suspended", kind: "vm.power", prepare: suspended) { bench, core in
            try await core.vms.start(.name("web"), VMStart(), bench.context("vm.start")).operationID
        },
        Scenario(name: "start without the saved state", kind: "vm.power", prepare: suspended) { bench, core in
            var start = VMStart()
            start.discardState = true
            return try await core.vms.start(.name("web"), start, bench.context("vm.start")).operationID
        },
        Scenario(name: "release what has an order", kind: "vm.mark", prepare: ordered) { bench, core in
            try await core.vms.release(.name("web"), bench.context("vm.release")).operationID
        },
        Scenario(name: "rescue from an image", kind: "vm.power", prepare: stopped) { bench, core in
            var start = VMStart()
            start.rescueImage = .name("base")
            return try await core.vms.start(.name("web"), start, bench.context("vm.start")).operationID
        },
    ]

    @Sendable private static func paused(_ bench: Bench, _ core: Core) async throws {
        try await created(bench, core)
        _ = try await core.vms.pause(.name("web"), bench.context("vm.pause"))
        await core.engine.idle()
    }

    @Sendable private static func suspended(_ bench: Bench, _ core: Core) async throws {
        try await created(bench, core)
        _ = try await core.vms.suspend(.name("web"), bench.context("vm.suspend"))
        await core.engine.idle()
    }

    @Sendable private static func ordered(_ bench: Bench, _ core: Core) async throws {
        try await stopped(bench, core)
        var patch = VMPatch()
        patch.autostartOrder = Removable<Int>(5)
        _ = try await core.vms.set(.name("web"), patch, bench.context("vm.set"))
    }

    private static let copies: [Scenario] = [
        Scenario(name: "linked clone", kind: "vm.clone", prepare: stopped) { bench, core in
            var clone = VMClone(name: try Name("copy"))
            clone.start = true
            return try await core.vms.clone(.name("web"), clone, bench.context("vm.clone")).operationID
        },
        Scenario(name: "full clone", kind: "vm.clone", prepare: stopped) { bench, core in
            var clone = VMClone(name: try Name("copy"))
            clone.clone = .full
            return try await core.vms.clone(.name("web"), clone, bench.context("vm.clone")).operationID
        },
        Scenario(name: "publish a disk", kind: "image.publish", prepare: stopped) { bench, core in
            let publish = VMPublish(name: try Name("made"))
            return try await core.vms.publish(.name("web"), publish, bench.context("vm.publish")).operationID
        },
    ]

    private static let mac = "52:54:00:00:00:01"

    @Sendable private static func stopped(_ bench: Bench, _ core: Core) async throws {
        try await imported(bench, core)
        var create = try linked()
        create.start = false
        create.disks = [DiskSpec(), DiskSpec(sizeBytes: try ByteCount("8M"))]
        var nic = NICSpec(network: .name("default"))
        nic.mac = mac
        create.networks = [nic]
        _ = try await core.vms.create(create, bench.context("vm.create"))
        await core.engine.idle()
    }

    private static func linked() throws -> VMCreate {
        var create = VMCreate(name: try Name("web"))
        create.image = .name("base")
        create.labels = ["env": "lab"]
        create.user = "ada"
        return create
    }

    @Sendable private static func imported(_ bench: Bench, _ core: Core) async throws {
        _ = try await bench.upload("base", to: core)
        await core.engine.idle()
    }

    private static func definition(_ name: String) -> String {
        "<domain type='test'><name>\(name)</name><memory>65536</memory><os><type>hvm</type></os></domain>"
    }

    @Sendable private static func foreign(_ bench: Bench, _ core: Core) async throws {
        _ = try await bench.hypervisor.connection().define(domain: definition("theirs"))
        try await core.environment.watcher.resync()
    }

    @Sendable private static func created(_ bench: Bench, _ core: Core) async throws {
        try await imported(bench, core)
        _ = try await core.vms.create(try linked(), bench.context("vm.create"))
        await core.engine.idle()
    }
}
