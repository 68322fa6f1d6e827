// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Logging
import Synchronization
import VctlAPI

@testable import VctlCore

/// A daemon's images without libvirt: a state directory, an inventory, an engine and the service over them.
struct ImageHarness: Sendable {
    let state: StateDirectory
    let inventory: Inventory
    let engine: OperationEngine
    let images: ImageService
    let operations: OperationService

    /// A new daemon on a directory, which may hold what an earlier one left.
    init(
        _ directory: String, limits: ImageLimits = .quick,
        fault: @escaping @Sendable (JournalPoint) -> Bool = { _ in false }
    ) throws {
        state = try StateDirectory(path: directory)
        inventory = try Inventory(path: state.database, instance: state.instance)
        let readers = try FileReaders(domains: [], folders: [directory])
        engine = OperationEngine(
            inventory: inventory,
            kinds: [ImageImport(state: state, limits: limits), ImageDelete(state: state, readers: readers)],
            link: NoLibvirt(), logger: Logger(label: "images") { _ in SwiftLogNoOpLogHandler() },
            journalRetry: .milliseconds(100), fault: fault
        )
        images = ImageService(
            inventory: inventory, engine: engine, state: state, readers: readers, limits: limits)
        operations = OperationService(inventory: inventory, engine: engine)
    }

    static func context(_ action: String = "image.import", force: Bool = false) -> RequestContext {
        let caller = Caller(uid: 0, user: "root", pid: 1, role: .admin)
        var context = RequestContext(caller: caller, action: action)
        context.force = force
        return context
    }

    /// Announces an upload, sends `bytes` at once, and waits for the end of the import.
    @discardableResult
    func upload(_ name: String, _ bytes: [UInt8], _ change: (inout ImageCreate) -> Void = { _ in })
        async throws
        -> VctlAPI.Operation
    {
        var request = ImageCreate(name: try Name(name))
        change(&request)
        _ = try await images.create(request, Self.context())
        let reply = try await images.content(
            .name(name), range: nil, body: Pieces(bytes), Self.context("image.content"))
        return try await ended(reply)
    }

    /// Starts a download and waits for its end.
    @discardableResult
    func download(_ name: String, _ url: String, _ change: (inout ImageCreate) -> Void = { _ in })
        async throws
        -> VctlAPI.Operation
    {
        var request = ImageCreate(name: try Name(name))
        request.url = url
        change(&request)
        return try await ended(try await images.create(request, Self.context()))
    }

    func ended(_ reply: Accepted) async throws -> VctlAPI.Operation {
        guard case .operation(let operation) = reply else { throw NotAnOperation() }
        await engine.idle()
        return try await operations.get(.id(operation.id))
    }

    /// Every file below the state directory that belongs to an image.
    var files: [String] {
        let names = (FileManager.default.subpaths(atPath: state.path) ?? []).sorted()
        return names.filter { name in
            ["images/", "incoming/", "objects/image/", "secrets/image-"].contains { name.hasPrefix($0) }
        }
    }

    /// The types of all events that are not about the operation itself.
    func events() async throws -> [String] {
        try await inventory.read { try EventStore.page($0, after: 0, limit: 10_000) }.map(\.type)
    }

    func bytes(of name: String) async throws -> [UInt8] {
        let row = try await inventory.read { try ImageStore.get($0, .name(name)) }
        return Array(FileManager.default.contents(atPath: row.path ?? "") ?? Data())
    }

    struct NotAnOperation: Error {}
}

extension ImageLimits {
    /// Nobody waits long in a test.
    static var quick: ImageLimits {
        var limits = ImageLimits()
        limits.connectSeconds = 2
        limits.silentSeconds = 2
        limits.attempts = 2
        limits.pauseSeconds = 0.01
        return limits
    }
}

struct NoLibvirt: LibvirtLink {
    func isLost(_ error: any Error) -> Bool { false }
    func waitUntilConnected() async throws {}
}

/// A body that comes in pieces, and may break off.
struct Pieces: AsyncSequence, Sendable {
    struct Broken: Error {}
    let bytes: [UInt8]
    var breaksAfter: Int?

    init(_ bytes: [UInt8], breaksAfter: Int? = nil) {
        self.bytes = bytes
        self.breaksAfter = breaksAfter
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        let pieces: Pieces
        var offset = 0

        mutating func next() async throws -> [UInt8]? {
            if let end = pieces.breaksAfter, offset >= end { throw Broken() }
            guard offset < pieces.bytes.count else { return nil }
            let end = Swift.min(offset + 100_000, pieces.breaksAfter ?? .max, pieces.bytes.count)
            defer { offset = end }
            return Array(pieces.bytes[offset..<end])
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pieces: self) }
}

/// A directory that is gone with the test.
final class Scratch: Sendable {
    let path: String
    init() {
        path = NSTemporaryDirectory() + "vctl-images-\(ObjectID().short)"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Disk images made by the real qemu-img.
enum Fixture {
    /// 1 MiB of noise at the start of a disk of 4 MiB.
    static func raw(_ scratch: Scratch, seed: UInt8 = 1) throws -> String {
        let path = scratch("fixture-\(seed).raw")
        var value = UInt64(seed)
        var bytes = [UInt8](repeating: 0, count: 4 << 20)
        for index in 0..<(1 << 20) {
            value = value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            bytes[index] = UInt8(truncatingIfNeeded: value >> 33)
        }
        // No boot sector and no magic of another format.
        bytes[0] = 0
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }

    static func make(_ scratch: Scratch, _ arguments: [String]) async throws {
        try await Tool("qemu-img", arguments).run()
    }

    static func converted(_ scratch: Scratch, to format: DiskFormat, _ options: [String] = []) async throws
        -> [UInt8]
    {
        let path = scratch("fixture.\(format.rawValue)")
        let raw = try raw(scratch)
        try await make(scratch, ["convert"] + options + ["-f", "raw", "-O", format.rawValue, raw, path])
        return read(path)
    }

    static func read(_ path: String) -> [UInt8] {
        Array(FileManager.default.contents(atPath: path) ?? Data())
    }

    /// What a guest would read.
    static func content(_ path: String, _ format: String) async throws -> [UInt8] {
        let target = path + ".flat"
        defer { try? FileManager.default.removeItem(atPath: target) }
        try await Tool("qemu-img", ["convert", "-f", format, "-O", "raw", path, target]).run()
        return read(target)
    }
}
