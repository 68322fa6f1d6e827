// SPDX-License-Identifier: Apache-2.0
import Glibc
import VctlAPI

/// `qemu-img`, always with the format said, so that no guest's bytes decide how an image is read. Paths are
/// absolute: a relative one with a colon would be taken for a protocol.
enum QemuImg {
    /// An image with its format.
    struct Image: Codable, Hashable, Sendable {
        var path: String
        var format: DiskFormat
    }

    /// A tool that writes to a path, once nothing that we started earlier writes there any more: a run bears
    /// the path as its name, by which a replay after a crash finds it.
    private static func writer(_ words: [String], to path: String) async throws -> Tool {
        var tool = Tool("qemu-img", words)
        tool.run = path
        guard await ProcessRecord.endAll(run: path) else { throw tool.error(.notStarted(EBUSY)) }
        return tool
    }

    /// Creates an image: qcow2 always of compat 1.1, since bitmaps need it.
    /// - Parameters:
    ///   - sizeBytes: the guest's size; without it that of `backing`.
    ///   - backing: what it reads from until it is written.
    /// - Throws: ``ToolError``, `CancellationError`.
    static func create(
        path: String, format: DiskFormat, sizeBytes: Int64?, backing: Image? = nil,
        preallocation: Preallocation = .off
    ) async throws {
        var words = ["create", "-q", "-f", format.rawValue]
        if let backing { words += ["-b", backing.path, "-F", backing.format.rawValue] }
        words += options(format, preallocation) + ["--", path]
        if let sizeBytes { words.append(String(sizeBytes)) }
        try await writer(words, to: path).run()
    }

    private static func options(_ format: DiskFormat, _ preallocation: Preallocation) -> [String] {
        var options = format == .qcow2 ? ["compat=1.1"] : []
        let allowed = format == .qcow2 || (format == .raw && preallocation != .metadata)
        if preallocation != .off, allowed { options.append("preallocation=\(preallocation.rawValue)") }
        return options.isEmpty ? [] : ["-o", options.joined(separator: ",")]
    }

    /// Copies an image into a new one, without its holes.
    /// - Parameters:
    ///   - backing: the image that the source reads from, and the target will, too: only what lies above it
    ///     is copied.
    ///   - progress: told how much is done, 0 to 100, as it grows.
    /// - Throws: ``ToolError``, `CancellationError`; the target is then incomplete, and the caller's to
    ///   remove.
    static func convert(
        from source: String, format sourceFormat: DiskFormat, to target: String, format: DiskFormat,
        preallocation: Preallocation = .off, backing: Image? = nil,
        progress: @escaping @Sendable (Double) -> Void = { _ in }
    ) async throws {
        var words = ["convert", "-p", "-f", sourceFormat.rawValue, "-O", format.rawValue]
        if let backing { words += ["-B", backing.path, "-F", backing.format.rawValue] }
        words += options(format, preallocation) + ["--", source, target]
        try await writer(words, to: target).run { line in
            if let percent = percent(of: line) { progress(percent) }
        }
    }

    /// `    (12.50/100%)` → 12.5
    static func percent(of line: String) -> Double? {
        guard let open = line.firstIndex(of: "("), let slash = line.firstIndex(of: "/"), open < slash,
            let percent = Double(line[line.index(after: open)..<slash])
        else { return nil }
        return min(max(percent, 0), 100)
    }

    /// Makes an image larger; the same size changes nothing.
    /// - Parameter shrinks: make it smaller; whatever is behind its new end is lost.
    /// - Throws: ``ToolError``; `qemu-img` refuses what shrinks unasked.
    static func resize(
        path: String, format: DiskFormat, sizeBytes: Int64, preallocation: Preallocation = .off,
        shrinks: Bool = false
    ) async throws {
        var words = ["resize", "-q", "-f", format.rawValue]
        words.append(shrinks ? "--shrink" : "--preallocation=\(preallocation.rawValue)")
        try await writer(words + ["--", path, String(sizeBytes)], to: path).run()
    }

    /// Takes what an image reads from others into it; broken off in the middle, it still reads from them.
    /// - Parameter progress: told how much is done, 0 to 100, as it grows.
    /// - Throws: ``ToolError``.
    static func flatten(path: String, progress: @escaping @Sendable (Double) -> Void = { _ in }) async throws
    {
        let words = ["rebase", "-p", "-f", "qcow2", "-b", "", "--", path]
        try await writer(words, to: path).run { line in
            if let percent = percent(of: line) { progress(percent) }
        }
    }

    /// Lets a linked image point at its backing file's new place; no data are touched.
    /// - Throws: ``ToolError``.
    static func rebaseUnsafely(path: String, format: DiskFormat, onto backing: Image) async throws {
        let words = [
            "rebase", "-q", "-u", "-f", format.rawValue, "-b", backing.path, "-F", backing.format.rawValue,
        ]
        try await writer(words + ["--", path], to: path).run()
    }
}
