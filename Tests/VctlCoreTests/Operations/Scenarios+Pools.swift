// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import VctlAPI

@testable import VctlCore

extension Scenario {
    static let pools: [Scenario] =
        [
            Scenario(name: "pool in a new directory", kind: "pool.create", prepare: seen) { bench, core in
                try await core.pools.create(try fast(bench), bench.context("pool.create")).operationID
            },
            Scenario(name: "pool that is not started", kind: "pool.create", prepare: seen) { bench, core in
                var create = try fast(bench)
                (create.start, create.autostart) = (false, false)
                return try await core.pools.create(create, bench.context("pool.create")).operationID
            },
            Scenario(name: "stop a pool", kind: "pool.power", prepare: made) { bench, core in
                try await core.pools.stop(.name("fast"), bench.context("pool.stop")).operationID
            },
            Scenario(name: "start a pool", kind: "pool.power", prepare: stopped) { bench, core in
                try await core.pools.start(.name("fast"), bench.context("pool.start")).operationID
            },
            Scenario(name: "refresh a pool", kind: "pool.power", prepare: made) { bench, core in
                try await core.pools.refresh(.name("fast"), bench.context("pool.refresh")).operationID
            },
            Scenario(name: "change a pool", kind: "pool.mark", prepare: made) { bench, core in
                var patch = PoolPatch()
                (patch.labels, patch.protected, patch.autostart) = (["a": nil, "env": "lab"], true, false)
                return try await core.pools.set(.name("fast"), patch, bench.context("pool.set")).operationID
            },
            Scenario(name: "adopt a pool", kind: "pool.mark", prepare: foreign) { bench, core in
                var adopt = PoolAdopt()
                adopt.labels = ["a": "b"]
                return try await core.pools.adopt(.name("theirs"), adopt, bench.context("pool.adopt"))
                    .operationID
            },
            Scenario(name: "release a pool", kind: "pool.mark", prepare: made) { bench, core in
                try await core.pools.release(.name("fast"), bench.context("pool.release")).operationID
            },
            Scenario(name: "delete a pool", kind: "pool.delete", prepare: filled) { bench, core in
                let context = bench.context("pool.delete")
                return try await core.pools.delete(.name("fast"), withData: false, context).operationID
            },
            Scenario(name: "delete a pool with its data", kind: "pool.delete", prepare: filled) {
                bench, core in
                let context = bench.context("pool.delete")
                return try await core.pools.delete(.name("fast"), withData: true, context).operationID
            },
        ] + volumes

    private static let volumes: [Scenario] = [
        Scenario(name: "volume", kind: "volume.create", prepare: made) { bench, core in
            let context = bench.context("volume.create")
            return try await core.pools.createVolume(.name("fast"), try data(), context).operationID
        },
        Scenario(name: "raw volume", kind: "volume.create", prepare: made) { bench, core in
            var create = try data()
            (create.format, create.preallocation) = (.raw, .full)
            let context = bench.context("volume.create")
            return try await core.pools.createVolume(.name("fast"), create, context).operationID
        },
        Scenario(name: "volume that is sent", kind: "volume.create", prepare: made) { bench, core in
            let body = AsyncStream<[UInt8]> { continuation in
                continuation.yield(Bench.disk)
                continuation.finish()
            }
            return try await core.pools.uploadVolume(
                .name("fast"), "sent", checksum: nil, size: nil, body: body, bench.context("volume.upload")
            ).operationID
        },
        Scenario(name: "grow a volume", kind: "volume.resize", prepare: filled) { bench, core in
            let resize = VolumeResize(sizeBytes: try ByteCount("16M"))
            let context = bench.context("volume.resize")
            return try await core.pools.resizeVolume(.name("fast"), "data", resize, context).operationID
        },
        Scenario(name: "shrink a volume", kind: "volume.resize", prepare: filled) { bench, core in
            let resize = VolumeResize(sizeBytes: try ByteCount("4M"))
            var context = bench.context("volume.resize")
            context.force = true
            return try await core.pools.resizeVolume(.name("fast"), "data", resize, context).operationID
        },
        Scenario(name: "clone a volume", kind: "volume.create", prepare: filled) { bench, core in
            try await cloned(bench, core, .full).operationID
        },
        Scenario(name: "link a volume", kind: "volume.create", prepare: filled) { bench, core in
            try await cloned(bench, core, .linked).operationID
        },
        Scenario(name: "flatten a volume", kind: "volume.rewrite", prepare: linked) { bench, core in
            let context = bench.context("volume.flatten")
            return try await core.pools.flattenVolume(.name("fast"), "copy", context).operationID
        },
        Scenario(name: "wipe a volume", kind: "volume.rewrite", prepare: filled) { bench, core in
            let context = bench.context("volume.wipe")
            return try await core.pools.wipeVolume(.name("fast"), "data", context).operationID
        },
        Scenario(name: "delete a volume", kind: "volume.delete", prepare: filled) { bench, core in
            let context = bench.context("volume.delete")
            return try await core.pools.deleteVolume(.name("fast"), "data", context).operationID
        },
    ]

    private static func fast(_ bench: Bench) throws -> PoolCreate {
        var create = PoolCreate(name: try Name("fast"), type: .dir)
        (create.target, create.labels) = ("\(bench.folders)/deep/fast", ["a": "b"])
        return create
    }

    private static func cloned(_ bench: Bench, _ core: Core, _ mode: CloneMode) async throws -> Accepted {
        var clone = VolumeClone(name: try Name("copy"))
        clone.clone = mode
        let context = bench.context("volume.clone")
        return try await core.pools.cloneVolume(.name("fast"), "data", clone, context)
    }

    @Sendable private static func linked(_ bench: Bench, _ core: Core) async throws {
        try await filled(bench, core)
        _ = try await cloned(bench, core, .linked)
        await core.engine.idle()
    }

    private static func data() throws -> VolumeCreate {
        var create = VolumeCreate(name: try Name("data"), sizeBytes: try ByteCount("8M"))
        create.labels = ["a": "b"]
        return create
    }

    @Sendable private static func seen(_ bench: Bench, _ core: Core) async throws {
        try await core.environment.watcher.resync()
    }

    @Sendable private static func made(_ bench: Bench, _ core: Core) async throws {
        try await seen(bench, core)
        _ = try await core.pools.create(try fast(bench), bench.context("pool.create"))
        await core.engine.idle()
    }

    @Sendable private static func stopped(_ bench: Bench, _ core: Core) async throws {
        try await made(bench, core)
        _ = try await core.pools.stop(.name("fast"), bench.context("pool.stop"))
        await core.engine.idle()
    }

    @Sendable private static func filled(_ bench: Bench, _ core: Core) async throws {
        try await made(bench, core)
        _ = try await core.pools.createVolume(.name("fast"), try data(), bench.context("volume.create"))
        await core.engine.idle()
    }

    @Sendable private static func foreign(_ bench: Bench, _ core: Core) async throws {
        let folder = "\(bench.folders)/theirs"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let xml = "<pool type='dir'><name>theirs</name><target><path>\(folder)</path></target></pool>"
        _ = try await bench.hypervisor.connection().define(storagePool: xml)
        try await core.environment.pools.resync()
    }
}
