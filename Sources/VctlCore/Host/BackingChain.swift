// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// The files that an image reads from besides its own: its backing file, that one's backing file, and so on,
/// and external data files.
///
/// Only what QEMU opens as qcow2 is followed. In a raw disk the guest writes the first bytes, too, and could
/// name any file of the host there.
enum BackingChain {
    /// Longer than any chain that QEMU opens.
    private static let limit = 256

    /// The files behind the one at `path`, as their images name them, the nearest first. It ends at what is
    /// no qcow2, or is no file.
    /// - Parameter format: what QEMU opens the file as.
    /// - Throws: ``Problem`` `pool.state` where one cannot be read: it may read from any file.
    static func files(behind path: String, format: String = "qcow2") throws(Problem) -> [String] {
        var (found, known): ([String], Set<ExactName>) = ([], [])
        var waiting = format == "qcow2" ? [path] : []
        while let next = waiting.popLast(), found.count < limit {
            for reference in try references(next) {
                for file in resolve(reference.name, from: next)
                where known.insert(ExactName(file)).inserted {
                    found.append(file)
                    // Without a name of the format QEMU looks into the file itself.
                    if reference.format ?? "qcow2" == "qcow2" { waiting.append(file) }
                }
            }
        }
        return found
    }

    private static func references(_ path: String) throws(Problem) -> [Qcow2Header.Reference] {
        do throws(FileFailure) { return try Qcow2Header.references(ofFileAt: path) } catch {
            let path = shown(path, limit: 300)
            throw Problem(
                .poolState,
                "nobody knows which files \(path) reads from: \(String(cString: strerror(error.errno)))",
                hint: "qemu-img info \(path)")
        }
    }

    /// The files that a name means: QEMU takes a plain path, `file:PATH`, or `json:` with a block device's
    /// description; a relative path begins at the image that names it.
    static func resolve(_ name: String, from image: String) -> [String] {
        if let text = name.rest(after: "json:") {
            return described(text).flatMap { resolve($0, from: image) }
        }
        if let path = name.rest(after: "file:") { return resolve(path, from: image) }
        guard !isRemote(name) else { return [] }
        return [name.isAbsolute ? name : RealPath.folder(of: image) + "/" + name]
    }

    /// `nbd://host/disk` and `nbd:unix:…`, but not a path that has a colon further back.
    private static func isRemote(_ name: String) -> Bool {
        guard let colon = name.utf8.firstIndex(of: UInt8(ascii: ":")) else { return false }
        return !name.utf8[..<colon].contains(UInt8(ascii: "/"))
    }

    /// Every `filename` in a description, however deep; nested objects may be written as `file.filename`.
    private static func described(_ text: String) -> [String] {
        guard let value = try? JSONSerialization.jsonObject(with: Data(text.utf8)) else { return [] }
        return filenames(value)
    }

    private static func filenames(_ value: Any) -> [String] {
        switch value {
        case let object as [String: Any]:
            object.sorted { $0.key < $1.key }.flatMap { key, value -> [String] in
                let isName = key == "filename" || key.hasSuffix(".filename")
                if isName, let name = value as? String { return [name] }
                return filenames(value)
            }
        case let list as [Any]: list.flatMap(filenames)
        default: []
        }
    }
}
