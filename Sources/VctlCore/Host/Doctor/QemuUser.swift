// SPDX-License-Identifier: Apache-2.0
import Foundation
import VirtXML

/// Whom libvirt lets QEMU run as.
struct QemuUser: Hashable, Sendable {
    let uid: uid_t
    let gid: gid_t
    let name: String

    /// What libvirt says it uses; where it does not say, what its configuration asks for; and where that is
    /// silent, the user that the distribution made for it. `nil`: nobody knows.
    init?(_ capabilities: CapabilitiesXML?, _ configuration: QemuConfiguration) {
        let dac = capabilities?.securityModels.first { $0.model == "dac" }?.baseLabels ?? []
        let label = dac.first { $0.type == "kvm" } ?? dac.first
        if let ids = label?.label.flatMap(Self.ids) {
            self.init(uid: ids.uid, gid: ids.gid)
        } else if let user = configuration.value("user") {
            self.init(named: user)
        } else if let user = QemuUser(named: "libvirt-qemu") ?? QemuUser(named: "qemu") {
            self = user
        } else {
            return nil
        }
    }

    init(uid: uid_t, gid: gid_t) {
        self.uid = uid
        self.gid = gid
        name = Account(uid: uid)?.name ?? "uid \(uid)"
    }

    /// - Parameter name: as in `qemu.conf`: a name, or `+` and a number.
    init?(named name: String) {
        if name.hasPrefix("+"), let uid = uid_t(name.dropFirst()) {
            self.init(uid: uid, gid: Account(uid: uid)?.gid ?? uid)
        } else if let account = Account(name: name) {
            self.init(uid: account.uid, gid: account.gid)
        } else {
            return nil
        }
    }

    /// `+64055:+107`.
    private static func ids(_ label: String) -> (uid: uid_t, gid: gid_t)? {
        let parts = label.split(separator: ":").map { $0.hasPrefix("+") ? $0.dropFirst() : $0 }
        guard parts.count == 2, let uid = uid_t(parts[0]), let gid = gid_t(parts[1]) else { return nil }
        return (uid, gid)
    }

    /// Which of these files the user has not the wanted rights to, by the kernel's own answer: access lists
    /// and the user's groups count, too. Those that it cannot even get near are not among them.
    /// - Parameter rights: as `find` calls them: `readable`, `writable`, `executable`.
    /// - Throws: ``ToolError``.
    func denied(_ rights: [String], to paths: [String]) async throws -> [String] {
        guard uid != 0, !paths.isEmpty else { return [] }
        let test = ["("] + rights.flatMap { ["-\($0)"] } + [")"]
        let find = ["find"] + paths + ["-maxdepth", "0", "-not"] + test + ["-print0"]
        let answer = try await tool(find).answer()
        return answer.output.split(separator: "\0").map(String.init)
    }

    private func tool(_ command: [String]) -> Tool {
        guard geteuid() == 0 else { return Tool(command[0], Array(command.dropFirst())) }
        // An unknown user has no groups to take on.
        let groups = Account(uid: uid) == nil ? "--clear-groups" : "--init-groups"
        return Tool("setpriv", ["--reuid=\(uid)", "--regid=\(gid)", groups, "--"] + command)
    }
}

/// A user that the system knows.
struct Account {
    let name: String
    let uid: uid_t
    let gid: gid_t

    init?(uid: uid_t) { self.init { getpwuid_r(uid, $0, $1, $2, $3) } }
    init?(name: String) { self.init { getpwnam_r(name, $0, $1, $2, $3) } }

    private init?(
        _ ask: (
            UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
            UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
        ) -> Int32
    ) {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16 << 10)
        let result = buffer.withUnsafeMutableBufferPointer { ask(&entry, $0.baseAddress!, $0.count, &found) }
        guard result == 0, found != nil, let text = entry.pw_name else { return nil }
        // Copied before the buffer goes, which it lies in.
        name = withExtendedLifetime(buffer) { String(cString: text) }
        (uid, gid) = (entry.pw_uid, entry.pw_gid)
    }
}

/// `/etc/libvirt/qemu.conf`, as far as it is of interest here.
struct QemuConfiguration: Sendable {
    private let values: [Substring: String]

    init(_ files: HostFiles) {
        var values: [Substring: String] = [:]
        for line in files.lines("/etc/libvirt/qemu.conf") where !line.hasPrefix("#") {
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let key = parts[0].split(separator: " ").first else { continue }
            // Of several the first counts, as with libvirt.
            values[key] = values[key] ?? parts[1].trimmingCharacters(in: CharacterSet(charactersIn: " \t\"'"))
        }
        self.values = values
    }

    /// The value of a key, without quotes.
    func value(_ key: String) -> String? { values[key[...]] }
}
