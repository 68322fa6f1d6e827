// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VctlClient

/// How to look at a VM's screen: commands, each behind where it is run.
struct Viewers {
    private let vm: VM
    /// The screen's socket, on the daemon's host, fit for a shell.
    private let socket: String
    /// The viewer of a socket, up to its path, and of a port of one's own machine.
    private let viewer: (here: String, tunnelled: String)

    /// `nil` where there is nothing to connect to.
    init?(_ vm: VM) {
        guard let screen = vm.graphics?.first(where: { $0.socket != nil }), let socket = screen.socket else {
            return nil
        }
        switch screen.type {
        case "vnc": viewer = ("vncviewer ", "vncviewer localhost:1")
        case "spice": viewer = ("remote-viewer spice+unix://", "remote-viewer spice://localhost:5901")
        default: return nil
        }
        self.vm = vm
        self.socket = Self.quoted(socket)
    }

    /// For someone on the daemon's host.
    /// - Parameter host: that host; `nil` where it is not known.
    func lines(_ host: Host?) -> [String] {
        var lines: [String] = []
        if let uri = host?.libvirt.uri {
            lines.append("screen: virt-viewer --connect \(Self.quoted(uri)) --attach \(vm.id)")
        }
        lines.append("screen: \(viewer.here)\(socket)")
        let name = host.map { Self.quoted($0.hostname) } ?? "HOST"
        return lines + [
            "screen from elsewhere: ssh -N -L 5901:\(socket) \(name), and there: \(viewer.tunnelled)"
        ]
    }

    /// For someone on another machine, from which the daemon's host is reached by ssh.
    func lines(from remote: SSHHost, _ host: Host?) -> [String] {
        var lines: [String] = []
        if let uri = host.flatMap({ Self.uri($0.libvirt.uri, over: remote) }) {
            lines.append("screen: virt-viewer --connect \(Self.quoted(uri)) \(vm.id)")
        }
        let words = remote.words.map(Self.quoted).joined(separator: " ")
        return lines + ["screen: ssh -N -L 5901:\(socket) \(words), and then: \(viewer.tunnelled)"]
    }

    /// libvirt's URI as seen from another machine; `nil` where it is not on the daemon's host, is one user's
    /// alone, or there is no such way to it.
    static func uri(_ local: String, over remote: SSHHost) -> String? {
        guard let colon = local.firstIndex(of: ":") else { return nil }
        let driver = local[..<colon].split(separator: "+", omittingEmptySubsequences: false)
        let rest = local[colon...]
        guard let name = driver.first, driver.count == 1 || driver.dropFirst().elementsEqual(["unix"]),
            rest.hasPrefix(":///"), rest != ":///session"
        else { return nil }
        return "\(name)+\(remote.url)\(rest.dropFirst(3))"
    }

    private static func quoted(_ text: String) -> String {
        let plain = text.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x40...0x5A).contains($0) || (0x2B...0x3A).contains($0)
                || $0 == 0x5F
        }
        guard !plain || text.isEmpty else { return text }
        let parts = shown(text, limit: 500).split(separator: "'", omittingEmptySubsequences: false)
        return "'\(parts.joined(separator: #"'\''"#))'"
    }
}
