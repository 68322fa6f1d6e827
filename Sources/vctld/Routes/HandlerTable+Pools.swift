// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import VctlAPI
import VctlCore

extension HandlerTable {
    mutating func addPools(_ core: Core) {
        let pools = core.pools
        addVolumes(core)
        on("pool.list") { incoming in
            var page = try await pools.list(try incoming.query.list())
            page.observedAt = core.host.observedAt
            return incoming.reply(page)
        }
        on("pool.show") { $0.reply(try await pools.show(try $0.reference())) }
        on("pool.create", PoolCreate.self) { try $0.reply(try await pools.create($1, $0.context)) }
        on("pool.set", PoolPatch.self) {
            try $0.reply(try await pools.set(try $0.reference(), $1, $0.context))
        }
        on("pool.delete") {
            let withData = $0.query.flag("withData")
            return try $0.reply(try await pools.delete(try $0.reference(), withData: withData, $0.context))
        }
        on("pool.start", Empty.self) { incoming, _ in
            try incoming.reply(try await pools.start(try incoming.reference(), incoming.context))
        }
        on("pool.stop", Empty.self) { incoming, _ in
            try incoming.reply(try await pools.stop(try incoming.reference(), incoming.context))
        }
        on("pool.refresh", Empty.self) { incoming, _ in
            try incoming.reply(try await pools.refresh(try incoming.reference(), incoming.context))
        }
        on("pool.adopt", PoolAdopt.self) {
            try $0.reply(try await pools.adopt(try $0.reference(), $1, $0.context))
        }
        on("pool.release", Empty.self) { incoming, _ in
            try incoming.reply(try await pools.release(try incoming.reference(), incoming.context))
        }
    }

    private mutating func addVolumes(_ core: Core) {
        let pools = core.pools
        on("volume.list") { incoming in
            var page = try await pools.volumes(of: nil, try incoming.query.list())
            page.observedAt = core.host.observedAt
            return incoming.reply(page)
        }
        on("pool.volumes") { incoming in
            var page = try await pools.volumes(of: try incoming.reference(), try incoming.query.list())
            page.observedAt = core.host.observedAt
            return incoming.reply(page)
        }
        on("volume.show") { $0.reply(try await pools.showVolume(try $0.reference(), $0.parameters[1])) }
        on("volume.create", VolumeCreate.self) {
            try $0.reply(try await pools.createVolume(try $0.reference(), $1, $0.context))
        }
        on("volume.resize", VolumeResize.self) {
            try $0.reply(try await pools.resizeVolume(try $0.reference(), $0.parameters[1], $1, $0.context))
        }
        on("volume.clone", VolumeClone.self) {
            try $0.reply(try await pools.cloneVolume(try $0.reference(), $0.parameters[1], $1, $0.context))
        }
        on("volume.flatten", Empty.self) { incoming, _ in
            let (pool, name) = (try incoming.reference(), incoming.parameters[1])
            return try incoming.reply(try await pools.flattenVolume(pool, name, incoming.context))
        }
        on("volume.wipe", Empty.self) { incoming, _ in
            let (pool, name) = (try incoming.reference(), incoming.parameters[1])
            return try incoming.reply(try await pools.wipeVolume(pool, name, incoming.context))
        }
        on("volume.download") {
            .content(try await pools.volumeContent(try $0.reference(), $0.parameters[1], $0.context))
        }
        on("volume.upload") { incoming in
            if let range = try incoming.headers[.contentRange].map({ try ContentRange(header: $0) }),
                range.first != 0 || range.last + 1 != range.total ?? range.last + 1
            {
                throw Problem(
                    .requestRange, "an upload of a volume cannot be gone on with",
                    hint: "send all of it again")
            }
            return try incoming.reply(
                try await pools.uploadVolume(
                    try incoming.reference(), incoming.parameters[1],
                    checksum: incoming.query.text("checksum"), size: incoming.body.announced.map(Int64.init),
                    body: incoming.body, incoming.context))
        }
        on("volume.delete") {
            try $0.reply(try await pools.deleteVolume(try $0.reference(), $0.parameters[1], $0.context))
        }
    }
}
