// SPDX-License-Identifier: Apache-2.0
import Glibc

// Paths are compared byte by byte, as the kernel does. Swift takes a slash and a combining mark behind it for
// one character, so that a file whose name begins with such a mark would lie in no folder.

extension String {
    private static let slash = UInt8(ascii: "/")

    /// What stands behind a prefix; `nil` where it does not begin with that.
    func rest(after prefix: String) -> String? {
        guard utf8.starts(with: prefix.utf8) else { return nil }
        return String(self[utf8.index(startIndex, offsetBy: prefix.utf8.count)...])
    }

    /// Whether it is a path below a folder.
    func isBelow(_ folder: String) -> Bool {
        utf8.starts(with: (folder.utf8.last == Self.slash ? folder : folder + "/").utf8)
    }

    /// Whether it is a path that begins at the root.
    var isAbsolute: Bool { utf8.first == Self.slash }
}

/// Paths as the kernel sees them.
enum RealPath {
    /// With symbolic links resolved; as it is where there is nothing.
    static func of(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The folder that a file is in.
    static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// What a file is called in its folder.
    static func name(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }

    /// A path and all folders that it is in, the nearest first.
    static func upwards(from path: String) -> [String] {
        var all = [path]
        while let last = all.last, last.isAbsolute, last != "/" { all.append(folder(of: last)) }
        return all
    }
}
