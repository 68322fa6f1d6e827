// SPDX-License-Identifier: Apache-2.0

extension Endpoints {
    static let pools: [Endpoint] =
        [
            list("pool.list", "/v1/pools", "All pools, by name", Pool.self, [.label, .poolState]),
            create("pool.create", "/v1/pools", "Make a pool", PoolCreate.self, .admin, [.dryRun]),
            get("pool.show", "/v1/pools/{pool}", "One pool", Pool.self),
            call(
                .patch, "pool.set", "/v1/pools/{pool}", "Change what is given", PoolPatch.self, .operation,
                Operation.self, [.dryRun], .admin),
            delete(
                "pool.delete", "/v1/pools/{pool}", "Delete a pool; its data stay unless told",
                [.withData, .force, .dryRun], .admin),
            of("pool.start", "start", "Start a pool", Empty.self),
            of("pool.stop", "stop", "Stop a pool; its data stay", Empty.self, [.force, .dryRun]),
            of(
                "pool.refresh", "refresh", "Let libvirt look again at what is in it", Empty.self,
                [.force, .dryRun]),
            of("pool.adopt", "adopt", "Take over what another made", PoolAdopt.self),
            of("pool.release", "release", "Take our mark off", Empty.self),
        ] + volumes

    private static let volumes: [Endpoint] = [
        list(
            "volume.list", "/v1/volumes", "All volumes, by pool and name", Volume.self, [.label]),
        list(
            "pool.volumes", "/v1/pools/{pool}/volumes", "The volumes of a pool, by name", Volume.self,
            [.label]),
        create(
            "volume.create", "/v1/pools/{pool}/volumes", "Make a volume", VolumeCreate.self, .operate,
            [.dryRun]),
        get("volume.show", "/v1/pools/{pool}/volumes/{volume}", "One volume", Volume.self),
        call(
            .post, "volume.resize", "/v1/pools/{pool}/volumes/{volume}/actions/resize",
            "Make a volume another size", VolumeResize.self, .operation, Operation.self, [.force, .dryRun]),
        call(
            .post, "volume.clone", "/v1/pools/{pool}/volumes/{volume}/actions/clone",
            "Make a volume from this one", VolumeClone.self, .operation, Operation.self, [.force, .dryRun]),
        call(
            .post, "volume.flatten", "/v1/pools/{pool}/volumes/{volume}/actions/flatten",
            "Let a linked clone stand alone", Empty.self, .operation, Operation.self, [.force, .dryRun]),
        call(
            .post, "volume.wipe", "/v1/pools/{pool}/volumes/{volume}/actions/wipe",
            "Overwrite all data of a volume", Empty.self, .operation, Operation.self, [.dryRun]),
        call(
            .get, "volume.download", "/v1/pools/{pool}/volumes/{volume}/content", "The volume's file", nil,
            .bytes("application/octet-stream"), Never?.self, [], .operate),
        call(
            .put, "volume.upload", "/v1/pools/{pool}/volumes/{volume}/content",
            "Make a volume of the bytes that are sent", bytes: "application/octet-stream", .operate,
            .operation, query: [.checksum]),
        delete(
            "volume.delete", "/v1/pools/{pool}/volumes/{volume}", "Delete a volume with its data", [.dryRun]),
    ]

    private static func of<T: Decodable & SendableMetatype>(
        _ id: String, _ verb: String, _ summary: String, _ type: T.Type, _ query: [QueryParameter] = [.dryRun]
    ) -> Endpoint {
        call(
            .post, id, "/v1/pools/{pool}/actions/\(verb)", summary, type, .operation, Operation.self, query,
            .admin)
    }
}

extension QueryParameter {
    static let poolState = QueryParameter("state", PoolState.schema, "only those in this state")
    static let checksum = QueryParameter("checksum", Checksum.schema, "what the content must have")
    static let withData = QueryParameter("withData", Bool.schema, "delete its volumes, too")
}
