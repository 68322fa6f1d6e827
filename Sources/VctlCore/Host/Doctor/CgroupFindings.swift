// SPDX-License-Identifier: Apache-2.0

/// Whether libvirt can weigh and limit what VMs use.
struct CgroupFindings: HostCheck {
    let name = "cgroups"
    let files: HostFiles

    /// What libvirt uses of version 2; `io` is `blkio` in version 1.
    private static let wanted = ["cpu", "cpuset", "io", "memory"]

    func notes() -> [Note] {
        let unified = files.words("/sys/fs/cgroup/cgroup.controllers")
        if !unified.isEmpty { return [unifiedNote(unified)] }
        let old = Self.wanted.map { $0 == "io" ? "blkio" : $0 }
        let mounted = old.filter { files.exists("/sys/fs/cgroup/\($0)/cgroup.procs") }
        guard !mounted.isEmpty else {
            return [
                .warning(
                    "no cgroups are mounted: libvirt cannot limit what a VM uses",
                    "mount -t cgroup2 cgroup2 /sys/fs/cgroup && systemctl restart libvirtd")
            ]
        }
        let lacking = old.filter { !mounted.contains($0) }
        let without = lacking.isEmpty ? "" : ", without \(lacking.joined(separator: ", "))"
        return [
            .warning(
                "cgroups of version 1\(without): it works, but systemd and libvirt are giving them up",
                "boot with systemd.unified_cgroup_hierarchy=1 on the kernel's command line")
        ]
    }

    private func unifiedNote(_ controllers: [String]) -> Note {
        let lacking = Self.wanted.filter { !controllers.contains($0) }
        guard !lacking.isEmpty else {
            return .ok("cgroups of version 2 with \(Self.wanted.joined(separator: ", "))")
        }
        let hint =
            lacking == ["memory"]
            ? "boot with cgroup_enable=memory on the kernel's command line"
            : "cat /sys/fs/cgroup/cgroup.controllers; in a container, ask its host to delegate them"
        return .warning(
            "the cgroup controllers \(lacking.joined(separator: ", ")) are not there: what VMs use of these"
                + " cannot be limited", hint)
    }
}
