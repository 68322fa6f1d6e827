// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Glibc

extension Seed {
    /// Writes the seed as an ISO image labelled `cidata`, with Joliet and Rock Ridge names.
    ///
    /// The same seed gives the same bytes. The file appears whole or not at all, and a guest that has the old
    /// one open keeps it; doing it again does no harm, and first removes what an interrupted write left.
    ///
    /// Its mode is 0600, since user-data hold secrets: libvirt gives it to QEMU's user when the guest starts
    /// (`dynamic_ownership`), and back afterwards.
    /// - Throws: ``ToolError``, ``FileFailure``.
    func write(to path: String) async throws {
        let work = path + ".partial"
        try? FileManager.default.removeItem(atPath: work)
        try Self.check(mkdir(work, 0o700), work)
        defer { try? FileManager.default.removeItem(atPath: work) }
        let source = work + "/files"
        try Self.check(mkdir(source, 0o700), source)
        for file in files { try Self.write(Array(file.text.utf8), to: "\(source)/\(file.name)") }
        let image = work + "/seed.iso"
        try await Self.tool(source: source, image: image).run()
        try Self.publish(image, as: path)
    }

    private static func tool(source: String, image: String) -> Tool {
        let words = [
            "-as", "mkisofs", "-quiet", "-volid", label, "-joliet", "-rock", "-uid", "0", "-gid", "0",
            "-file-mode", "0400", "-dir-mode", "0500", "--set_all_file_dates", "1980010100000000",
            "-output", image, source,
        ]
        var tool = Tool("xorriso", words, deadline: .seconds(60))
        // The same moment for what xorriso dates by itself: the volume and its identifiers.
        tool.environment = ["SOURCE_DATE_EPOCH": "315532800"]
        return tool
    }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        try check(descriptor, path)
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            try check(Int32(clamping: count), path)
            rest = rest.dropFirst(count)
        }
    }

    private static func publish(_ image: String, as path: String) throws {
        try check(chmod(image, 0o600), image)
        try sync(image, O_RDWR)
        try check(rename(image, path), path)
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        try sync("/" + folder, O_RDONLY | O_DIRECTORY)
    }

    private static func sync(_ path: String, _ flags: Int32) throws {
        let descriptor = open(path, flags | O_CLOEXEC)
        try check(descriptor, path)
        defer { close(descriptor) }
        try check(fsync(descriptor), path)
    }

    private static func check(_ result: Int32, _ path: String) throws {
        guard result >= 0 else { throw FileFailure(path: path) }
    }
}
