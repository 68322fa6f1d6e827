// SPDX-License-Identifier: Apache-2.0
import Foundation

@testable import VctlCore

/// A root with the files that a test gives it.
struct HostTree {
    let folder: TemporaryFolder
    var files: HostFiles { HostFiles(root: folder.path) }

    /// - Parameter files: paths below `/`, and their text.
    init(_ files: [String: String] = [:]) throws {
        folder = try TemporaryFolder()
        for (path, text) in files { try write(path, text) }
    }

    func write(_ path: String, _ text: String) throws {
        let place = URL(fileURLWithPath: folder.path + path)
        try FileManager.default.createDirectory(
            at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: place)
    }
}

/// The kernel's list of modules, as it is on Debian 12: some with and some without others that they need.
let modulesOfDebian = [
    "/lib/modules/6.1.0-18-amd64/modules.dep": """
    kernel/net/bridge/bridge.ko: kernel/net/802/stp.ko kernel/net/llc/llc.ko
    kernel/net/bridge/br_netfilter.ko: kernel/net/bridge/bridge.ko kernel/net/802/stp.ko
    kernel/drivers/net/tun.ko:
    kernel/drivers/vhost/vhost_net.ko: kernel/drivers/vhost/vhost.ko kernel/drivers/net/tap.ko
    kernel/net/netfilter/nf_tables.ko: kernel/lib/libcrc32c.ko kernel/net/netfilter/nfnetlink.ko

    """,
    "/lib/modules/6.1.0-18-amd64/modules.builtin":
        "kernel/fs/fuse/fuse.ko\nkernel/drivers/tty/serial/8250/8250.ko\n",
]

func kernel(_ tree: HostTree) -> KernelParts { KernelParts(files: tree.files, release: "6.1.0-18-amd64") }
