// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import NIOCore
import VctlAPI
import VctlCore

extension HandlerTable {
    /// Everything that the core answers.
    static func all(_ core: Core, keepAlive: Duration) -> HandlerTable {
        var table = HandlerTable()
        table.addVMs(core)
        table.addNetworks(core)
        table.addPools(core)
        table.addImages(core)
        table.addProfiles(core)
        table.addLinks(core)
        table.addSecurityGroups(core)
        table.addOperations(core)
        table.addEvents(EventSource(core.events), keepAlive: keepAlive)
        table.addNotes(core)
        table.addDaemon(core)
        return table
    }

    mutating func addDaemon(_ core: Core) {
        addDescription()
        on("host.show") { _ in try .json(try await core.host.show()) }
        on("host.doctor") { $0.reply(try await core.host.examine(try $0.query.list())) }
        on("ready") { _ in
            guard try await core.host.isReady else {
                throw Problem(.libvirtUnavailable, "libvirt has not been read yet", hint: "vctl host show")
            }
            return try .json(Self.version)
        }
    }

    /// What is the same for every daemon of this version.
    mutating func addDescription() {
        on("version") { _ in try .json(Self.version) }
        let document = ByteBuffer(string: OpenAPI.document())
        on("openapi") { _ in Reply(.ok, [.contentType: Reply.jsonType], body: .bytes(document)) }
    }

    private static let version = VersionInfo(version: Wire.version, api: "v1")
}

extension EventSource {
    init(_ events: EventService) {
        self.init(
            page: { try await events.page(after: $0, limit: $1) },
            newest: { try await events.newest(limit: $0) }, last: { try await events.last() },
            wait: { await events.wait(after: $0) }, json: { try events.json($0) })
    }
}
