// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The file with the number of a network's dnsmasq, which that may not remove itself and libvirt leaves.
struct DnsmasqFile {
    private let path: String
    private let files: HostFiles
    /// What it held when it was looked at first.
    private let before: String?

    init(_ network: String, files: HostFiles = HostFiles()) {
        path = "/run/libvirt/network/\(network).pid"
        self.files = files
        before = files.text(path)
    }

    /// The number of the dnsmasq that runs.
    var running: String? {
        files.text(path).flatMap { files.text("/proc/\($0)/comm") == "dnsmasq" ? $0 : nil }
    }

    /// Removes it, once its network is gone. Somebody may have made another network of that name meanwhile,
    /// whose file it is then.
    func removeIfDead() {
        guard let now = files.text(path), now == before || running == nil else { return }
        unlink(files.path(path))
    }
}
