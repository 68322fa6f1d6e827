// SPDX-License-Identifier: Apache-2.0

/// What is mounted where, so that two paths into one folder are known for what they are (proc(5),
/// `/proc/PID/mountinfo`). No file system is asked.
struct Mounts: Sendable {
    /// Where something is on its file system.
    struct Place: Hashable, Sendable {
        /// The file system.
        let device: String
        /// From its root.
        let path: String

        /// Whether it is that place or below it.
        func isIn(_ folder: Place) -> Bool {
            device == folder.device && (path == folder.path || path.isBelow(folder.path))
        }
    }

    private struct Mount {
        let device: String
        let root: String
        let point: String
    }

    private let mounts: [Mount]

    /// Those of this process; none where they cannot be read.
    init() {
        self.init(HostFiles().text("/proc/self/mountinfo") ?? "")
    }

    /// - Parameter text: as the kernel writes it.
    init(_ text: String) {
        mounts = text.utf8.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = line.split(separator: UInt8(ascii: " ")).map { Self.unescaped(Array($0)) }
            guard fields.count > 4 else { return nil }
            return Mount(device: fields[2], root: fields[3], point: fields[4])
        }
    }

    /// - Parameter path: a real path.
    func place(of path: String) -> Place? {
        // Of those at one point the last covers the others.
        let mount = mounts.filter { path == $0.point || path.isBelow($0.point) }.enumerated().max {
            ($0.element.point.utf8.count, $0.offset) < ($1.element.point.utf8.count, $1.offset)
        }?.element
        guard let mount else { return nil }
        let rest = path.rest(after: mount.point == "/" ? "" : mount.point) ?? ""
        let inside = (mount.root == "/" ? "" : mount.root) + (rest == "/" ? "" : rest)
        return Place(device: mount.device, path: inside.isEmpty ? "/" : inside)
    }

    /// Spaces and their like are written as `\040`.
    private static func unescaped(_ bytes: [UInt8]) -> String {
        var (result, rest): ([UInt8], ArraySlice<UInt8>) = ([], bytes[...])
        while let first = rest.popFirst() {
            let digits = rest.prefix(3)
            let code =
                first == UInt8(ascii: "\\") ? Int(String(decoding: digits, as: UTF8.self), radix: 8) : nil
            guard let code, digits.count == 3, let byte = UInt8(exactly: code) else {
                result.append(first)
                continue
            }
            result.append(byte)
            rest = rest.dropFirst(3)
        }
        return String(decoding: result, as: UTF8.self)
    }
}
