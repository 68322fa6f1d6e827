// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The kernel's and the system's files below some root, which is `/` but in tests.
struct HostFiles: Sendable {
    var root = ""

    /// Where a file of the host is.
    func path(_ path: String) -> String { root + path }

    func exists(_ path: String) -> Bool { access(self.path(path), F_OK) == 0 }

    /// The text of a file, without white space at its end; `nil` where it cannot be read.
    func text(_ path: String) -> String? {
        let descriptor = open(self.path(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        // Files of /proc have no size to ask for.
        while bytes.count < 16 << 20 {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 { return nil }
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        while let last = bytes.last, last == 0x0A || last == 0x20 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    func lines(_ path: String) -> [Substring] { text(path)?.split(separator: "\n") ?? [] }

    /// The words of a file.
    func words(_ path: String) -> [String] {
        text(path)?.split(whereSeparator: \.isWhitespace).map(String.init) ?? []
    }

    /// The names in a folder, sorted; none where it cannot be read.
    func names(_ path: String) -> [String] {
        guard let folder = opendir(self.path(path)) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}

/// What the kernel can do, without asking it for anything that would load a module.
struct KernelParts: Sendable {
    /// How a part of the kernel stands.
    enum State: Hashable, Sendable {
        case present
        /// A module that is loaded when something first needs it.
        case loadable
        /// The modules of this kernel are known, and it is none of them.
        case absent
        /// It is not a module that is loaded; whether it is built in cannot be seen.
        case unseen
    }

    let files: HostFiles
    /// The running kernel's version, which its modules are filed under.
    var release = KernelParts.running

    func state(_ module: String) -> State {
        if files.exists("/sys/module/\(module)") { return .present }
        let folder = "/lib/modules/\(release)"
        if files.lines("\(folder)/modules.builtin").contains(where: { names($0, module) }) { return .present }
        let known = files.lines("\(folder)/modules.dep")
        if known.contains(where: { names($0, module) }) { return .loadable }
        return known.isEmpty ? .unseen : .absent
    }

    /// Whether a driver has its device, as `/proc/misc` lists them.
    func hasDevice(_ name: String) -> Bool {
        files.lines("/proc/misc").contains { $0.split(separator: " ").last.map { $0 == name } ?? false }
    }

    /// `kernel/net/bridge/bridge.ko.xz: kernel/net/802/stp.ko.xz` names `bridge`.
    private func names(_ line: Substring, _ module: String) -> Bool {
        let path = line.prefix { $0 != ":" }
        let file = path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...]
        return file == "\(module).ko" || file.hasPrefix("\(module).ko.")
    }

    private static let running: String = {
        var name = utsname()
        uname(&name)
        return withUnsafeBytes(of: name.release) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
    }()
}
