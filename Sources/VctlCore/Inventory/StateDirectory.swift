// SPDX-License-Identifier: Apache-2.0
import Crypto
import Foundation
import VctlAPI

/// The daemon's own directory, and where everything in it is.
public struct StateDirectory: Sendable {
    /// The directory's absolute path.
    public let path: String
    /// The mark of everything that this instance makes.
    public let instance: ObjectID
    let hasher: IdempotencyHasher

    /// Opens or makes the directory: 0711, since QEMU's user passes through it to disks and images.
    /// - Throws: what the file system says.
    public init(path: String) throws {
        self.path = path
        try Self.make(path, mode: 0o711)
        for name in ["volumes", "images", "seeds", "console", "nvram"] {
            try Self.make("\(path)/\(name)", mode: 0o711)
        }
        for name in ["objects", "secrets", "incoming"] { try Self.make("\(path)/\(name)", mode: 0o700) }
        let known = try Self.kept("\(path)/instance-id", mode: 0o644) { Array(ObjectID().rawValue.utf8) }
        guard
            let id = ObjectID(
                String(decoding: known, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
        else {
            throw Problem(
                .internalError, "\(path)/instance-id holds no UUID", hint: "restore it from a backup")
        }
        instance = id
        let secret = try Self.kept("\(path)/secrets/idempotency.key", mode: 0o600) {
            SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
        }
        hasher = IdempotencyHasher(key: SymmetricKey(data: secret))
    }

    /// The directory of a daemon that was told no other.
    public static let usual = "/var/lib/vctld"

    /// The name of this instance's table of nftables.
    var tableName: String { path == Self.usual ? "vctl" : "vctl_\(instance.short)" }
    var database: String { "\(path)/inventory.sqlite" }
    var volumes: String { "\(path)/volumes" }
    func image(_ id: ObjectID, _ format: DiskFormat) -> String { "\(path)/images/\(id).\(format.rawValue)" }
    /// Where the content of an image is received before it is checked.
    func incoming(_ id: ObjectID) -> String { "\(path)/incoming/\(id)" }
    func seedDirectory(_ vm: ObjectID) -> String { "\(path)/seeds/\(vm)" }
    var consoles: String { "\(path)/console" }
    func consoleLog(_ vm: ObjectID) -> String { "\(consoles)/\(vm).log" }
    /// The variables of a VM's UEFI. Under a name that libvirt makes of the VM's they would be lost by a
    /// rename, and the next VM of that name would find them. Those of Secure Boot are another file.
    func variables(_ vm: ObjectID, _ firmware: Firmware) -> String? {
        switch firmware {
        case .bios: nil
        case .uefi: "\(path)/nvram/\(vm)_VARS.fd"
        case .uefiSecure: "\(path)/nvram/\(vm)-secure_VARS.fd"
        }
    }
    /// The variables of all kinds of UEFI that a VM may have had.
    func allVariables(_ vm: ObjectID) -> [String] {
        Firmware.allCases.compactMap { variables(vm, $0) }
    }
    func secret(_ name: String) -> String { "\(path)/secrets/\(name)" }
    func object(_ kind: ObjectKind, _ id: ObjectID) -> String {
        "\(path)/objects/\(kind.rawValue)/\(id).json"
    }

    /// Removes what a daemon that was killed had begun to write; only for who holds the directory's lock.
    func removeUnfinished() {
        let files = FileManager.default.enumerator(atPath: path)
        while let name = files?.nextObject() as? String {
            // What is in these is large, or not only ours.
            if ["volumes", "images"].contains(name) { files?.skipDescendants() }
            if DurableFile.isUnfinished(name) { try? DurableFile.remove("\(path)/\(name)") }
        }
    }

    private static func make(_ path: String, mode: Int) throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: mode])
        try? FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    /// What the file holds; made by `make` when it is not there.
    private static func kept(_ path: String, mode: Int, _ make: () -> [UInt8]) throws -> [UInt8] {
        if let known = FileManager.default.contents(atPath: path), !known.isEmpty { return Array(known) }
        let fresh = make()
        try DurableFile.write(fresh, to: path, mode: mode)
        return fresh
    }
}

/// Files that are there whole, or not at all, after a power cut too.
enum DurableFile {
    private static let unfinished = ".new-"

    /// Writes beside `path`, syncs, renames, and syncs the directory.
    static func write(_ bytes: [UInt8], to path: String, mode: Int = 0o600) throws {
        let temporary = "\(path)\(unfinished)\(ObjectID().short)"
        guard
            FileManager.default.createFile(
                atPath: temporary, contents: nil, attributes: [.posixPermissions: mode]),
            let file = FileHandle(forWritingAtPath: temporary)
        else { throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: temporary]) }
        do {
            try file.write(contentsOf: bytes)
            try file.synchronize()
            try file.close()
        } catch {
            try? FileManager.default.removeItem(atPath: temporary)
            throw error
        }
        try rename(temporary, to: path)
    }

    /// Whether it is what a writer that was killed has left.
    static func isUnfinished(_ name: String) -> Bool {
        guard let mark = name.range(of: unfinished, options: .backwards) else { return false }
        return name[mark.upperBound...].wholeMatch(of: /[0-9a-f]{8}/) != nil
    }

    /// Renames within a file system, and makes it last.
    static func rename(_ from: String, to path: String) throws {
        guard Foundation.rename(from, path) == 0 else {
            throw FileFailure(path: path)
        }
        syncDirectory(of: path)
    }

    /// Removes a file; that it is gone already is as good.
    static func remove(_ path: String) throws {
        guard unlink(path) == 0 || errno == ENOENT else {
            throw FileFailure(path: path)
        }
        syncDirectory(of: path)
    }

    private static func syncDirectory(of path: String) {
        let directory = (path as NSString).deletingLastPathComponent
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}

extension StateDirectory {
    /// Writes the file from which `--recover` knows an object whose truth is the inventory alone.
    func keep<T: Encodable>(_ kind: ObjectKind, _ id: ObjectID, _ value: T) throws {
        let path = object(kind, id)
        try Self.make((path as NSString).deletingLastPathComponent, mode: 0o700)
        try DurableFile.write(Array(try JSON.text(value).utf8), to: path)
    }

    /// Removes it.
    func forget(_ kind: ObjectKind, _ id: ObjectID) throws { try DurableFile.remove(object(kind, id)) }

    /// Removes what a write left that a death of the daemon broke off.
    func removeUnfinished(_ kind: ObjectKind) throws {
        let directory = "\(path)/objects/\(kind.rawValue)"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        where name.contains(".json.new-") {
            try DurableFile.remove("\(directory)/\(name)")
        }
    }

    /// All kept objects of a kind; files that cannot be read are named, and left.
    func kept<T: Decodable>(_ kind: ObjectKind, _ type: T.Type) -> (values: [T], unreadable: [String]) {
        let directory = "\(path)/objects/\(kind.rawValue)"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        var values: [T] = []
        var unreadable: [String] = []
        for name in names.sorted() where name.hasSuffix(".json") {
            let text = FileManager.default.contents(atPath: "\(directory)/\(name)").map {
                String(decoding: $0, as: UTF8.self)
            }
            if let value = text.flatMap({ try? JSON.value(type, $0) }) {
                values.append(value)
            } else {
                unreadable.append("\(directory)/\(name)")
            }
        }
        return (values, unreadable)
    }
}
