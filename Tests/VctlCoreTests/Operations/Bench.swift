// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Libvirt
import Logging
import Synchronization
import VctlAPI

@testable import VctlCore

/// A state directory and a libvirt of its own, on which a daemon's core can die and start again.
final class Bench: Sendable {
    let directory: String
    let hypervisor: Hypervisor
    let links = FakeLinks()
    let caller = Caller(uid: 0, user: "root", pid: 1, role: .admin)

    init() async throws {
        directory = FileManager.default.temporaryDirectory.path + "/vctl-bench-\(ObjectID().short)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let node = "\(directory)/node.xml"
        try Self.node.write(toFile: node, atomically: true, encoding: .utf8)
        // The test driver keeps its domains as long as this connection lives: it stands for a libvirtd that
        // outlives the daemon.
        hypervisor = Hypervisor(uri: "test://\(node)")
        try await hypervisor.waitUntilConnected()
    }

    deinit {
        hypervisor.managed.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    private static let node = """
        <node><network><name>default</name><bridge name='virbr9'/>
        <ip address='192.168.122.1' netmask='255.255.255.0'/></network></node>
        """

    var state: String { "\(directory)/state" }
    /// Where pools may be.
    var folders: String { "\(directory)/pools" }

    /// A core over this bench's state, as after a start of the daemon.
    func core(fault: @escaping @Sendable (JournalPoint) -> Bool = { _ in false }) async throws -> Core {
        var configuration = CoreConfiguration(
            stateDirectory: state, uri: hypervisor.uri, allowedPaths: [directory])
        configuration.keepEvents = 1_000_000
        return try await Core(
            configuration, hypervisor: hypervisor,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            hostLinks: links, fault: fault)
    }

    func context(_ action: String, key: String? = nil) -> RequestContext {
        var context = RequestContext(caller: caller, action: action)
        context.idempotency = key.map { Idempotency(key: $0, content: Array(action.utf8)) }
        return context
    }

    /// Bytes for an image: a disk of 1 MiB that is not all zeroes.
    static let disk: [UInt8] = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }

    /// Announces and sends an image; returns the operation that imports it.
    func upload(_ name: String, to core: Core) async throws -> ObjectID {
        var create = ImageCreate(name: try Name(name))
        create.sizeBytes = try ByteCount(bytes: Int64(Self.disk.count))
        create.sourceFormat = .raw
        create.format = .qcow2
        _ = try await core.images.create(create, context("image.import"))
        let body = AsyncStream<[UInt8]> { continuation in
            continuation.yield(Self.disk)
            continuation.finish()
        }
        let reply = try await core.images.content(
            .name(name), range: nil, body: body, context("image.content"))
        return try reply.operationID
    }

    /// Makes a VM that is off, from the image `base`, which is made where it is missing.
    /// - Throws: what ended the operation.
    @discardableResult
    func make(
        _ name: String, on core: Core, _ change: (inout VMCreate) -> Void = { _ in }
    ) async throws -> ObjectID {
        if try await core.inventory.read({ try ImageStore.find($0, .name("base")) }) == nil {
            _ = try await upload("base", to: core)
            await core.engine.idle()
        }
        var create = VMCreate(name: try Name(name))
        create.image = .name("base")
        create.start = false
        change(&create)
        let id = try await core.vms.create(create, context("vm.create")).operationID
        await core.engine.idle()
        if let problem = try await core.operations.get(.id(id)).error { throw problem }
        return try await core.vms.row(.name(name)).id
    }

    /// Everything that can be seen of the world, with what is minted at random made equal.
    func world(_ core: Core) async throws -> [String] {
        try await domains() + networks() + pools() + rows(core) + files() + links.lines
    }

    private func domains() async throws -> [String] {
        let records = try await hypervisor.managed.connection().domainRecords([.inactive])
        return records.map { record in
            let text = record.inactiveXML ?? ""
            let devices = [
                "<disk ", "<interface ", "state='down'", "<mtu ", "<boot order='1'/>", "anti-spoofing='yes'",
            ].map { text.components(separatedBy: $0).count - 1 }
            let isMarked = text.contains(Mark.namespace)
            return "domain \(record.name) active=\(record.isActive) autostart=\(record.autostart) "
                + "marked=\(isMarked) disks, NICs, pulled cables, MTUs, first to boot, guarded: \(devices)"
        }.sorted()
    }

    private func networks() async throws -> [String] {
        try await hypervisor.managed.connection().networkRecords().map { record in
            let isMarked = record.xml.contains(Mark.namespace)
            let hosts = record.xml.components(separatedBy: "<host mac=").count - 1
            let ranges = record.xml.components(separatedBy: "<range ").count - 1
            return "libvirt's network \(record.name) active=\(record.isActive) autostart=\(record.autostart) "
                + "marked=\(isMarked) ranges=\(ranges) hosts=\(hosts)"
        }.sorted()
    }

    /// But for the one that VMs get by themselves, and that stays.
    private func pools() async throws -> [String] {
        try await hypervisor.managed.connection().storagePoolRecords().filter { $0.name != "default" }.map {
            "libvirt's pool \($0.name) active=\($0.isActive) autostart=\($0.autostart)"
        }.sorted()
    }

    private func rows(_ core: Core) async throws -> [String] {
        try await core.inventory.read { db in
            let tables = [
                "SELECT 'vm ' || name || ' ' || state || ' image=' || (image IS NOT NULL) FROM vm",
                "SELECT 'network ' || name || ' ' || state || ' managed=' || managed FROM network",
                """
                SELECT 'pool ' || name || ' ' || state || ' managed=' || managed
                    || ' mark=' || (mark IS NOT NULL) FROM pool
                """,
                """
                SELECT 'volume ' || name || ' ' || (document ->> '$.state') || ' '
                    || coalesce(document ->> '$.capacityBytes', 0)
                    || ' mark=' || (mark IS NOT NULL) FROM volume
                """,
                "SELECT 'forward ' || (document ->> '$.ports') || ' ' || (document ->> '$.vm') FROM forward",
                "SELECT 'image ' || name || ' ' || state FROM image",
                "SELECT 'tap ' || name FROM tap",
                "SELECT 'bridge ' || name || ' ' || coalesce(document ->> '$.mtu', '-') FROM bridge",
                "SELECT 'claim ' || aspect || ' ' || mode FROM claim",
                "SELECT 'label ' || kind || ' ' || key || '=' || value FROM label",
                "SELECT 'operation ' || kind || ' ' || status FROM operation",
                """
                SELECT 'step ' || operation.kind || ' ' || key
                FROM step JOIN operation ON operation.id = operation
                """,
                """
                SELECT 'event ' || type FROM event
                WHERE kind IN ('vm', 'image', 'network', 'tap', 'bridge', 'pool', 'volume')
                """,
            ]
            return try tables.flatMap { try String.fetchAll(db, sql: $0).sorted() }
        }
    }

    private func files() -> [String] {
        let all = FileManager.default.enumerator(atPath: state)?.compactMap { $0 as? String } ?? []
        let pools = FileManager.default.enumerator(atPath: folders)?.compactMap { $0 as? String } ?? []
        return all.filter { !$0.hasPrefix("inventory.sqlite") && !isDirectory($0) }.map(Self.withoutIDs)
            .sorted() + pools.map { "in a pool: \(Self.withoutIDs($0))" }.sorted()
    }

    private func isDirectory(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: "\(state)/\(path)", isDirectory: &isDirectory)
            && isDirectory.boolValue
    }

    /// UUIDs and their short forms are different in each run.
    private static func withoutIDs(_ path: String) -> String {
        let uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/
        let short = /-[0-9a-f]{8}\./
        return path.replacing(uuid, with: "ID").replacing(short, with: "-ID.")
    }
}

extension Accepted {
    /// The accepted operation's id.
    var operationID: ObjectID {
        get throws {
            guard case .operation(let operation) = self else {
                throw Problem(.internalError, "no operation was accepted: \(self)")
            }
            return operation.id
        }
    }
}
