// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A folder that holds what QEMU opens.
struct DiskFolder: Hashable, Sendable {
    /// `pool default`
    let what: String
    let path: String
}

/// Whether QEMU's user gets to where disks are: libvirt gives it the files, but not the way to them.
struct AccessFindings: HostCheck {
    let name = "storage.access"
    let deadline = LibvirtFacts.patience
    let files: HostFiles
    let user: @Sendable () async -> QemuUser?
    let folders: @Sendable () async throws -> [DiskFolder]

    func notes() async throws -> [Note] {
        guard let user = await user() else {
            return [.unknown("libvirt does not say whom QEMU runs as", "grep ^user /etc/libvirt/qemu.conf")]
        }
        guard user.uid != 0 else {
            return [.ok("QEMU runs as root, and gets everywhere")]
        }
        let folders = try await folders()
        let there = try await Blocking.run { folders.filter { access($0.path, F_OK) == 0 } }
        var notes = folders.filter { !there.contains($0) }.map(Self.missing)
        notes += try await blocked(user, there)
        if QemuConfiguration(files).value("dynamic_ownership") == "0" {
            notes.append(
                .warning(
                    "dynamic_ownership = 0 in /etc/libvirt/qemu.conf: libvirt does not hand disks over to"
                        + " \(user.name), which QEMU runs as",
                    "remove that line, then: systemctl restart libvirtd"))
        }
        guard notes.isEmpty else { return notes }
        return [.ok("\(user.name), which QEMU runs as, gets to \(there.map(\.path).joined(separator: ", "))")]
    }

    private static func missing(_ folder: DiskFolder) -> Note {
        .critical(
            "\(folder.path) (\(folder.what)) is not there", "mkdir \(folder.path), or mount what it is on")
    }

    private func blocked(_ user: QemuUser, _ folders: [DiskFolder]) async throws -> [Note] {
        let ways = try await Blocking.run { folders.map { (folder: $0, steps: Self.steps(to: $0.path)) } }
        var all: [String] = []
        for step in ways.flatMap(\.steps) where !all.contains(step) { all.append(step) }
        let denied = Set(try await user.denied(["executable"], to: all))
        return ways.compactMap { way in
            guard let step = way.steps.first(where: denied.contains) else { return nil }
            let place = step == way.folder.path ? step : "\(step), on the way to \(way.folder.path)"
            return .critical(
                "\(user.name), which QEMU runs as, may not pass through \(place) (\(way.folder.what))",
                Self.opening(step, to: user))
        }
    }

    /// Every folder from the root to this one, also where links lead.
    static func steps(to path: String) -> [String] {
        var steps: [String] = []
        for way in [path, RealPath.of(path)] {
            var step = ""
            for name in way.split(separator: "/") {
                step += "/\(name)"
                if !steps.contains(step) { steps.append(step) }
            }
        }
        return steps
    }

    private static func opening(_ folder: String, to user: QemuUser) -> String {
        guard Tool.locate("setfacl") != nil else { return "chmod o+x \(folder)" }
        return "setfacl -m u:\(user.uid):x \(folder)"
    }
}

/// Whether QEMU's user may open what KVM has.
struct KVMAccessFindings: HostCheck {
    let name = "kvm.access"
    let deadline = LibvirtFacts.patience
    var device = "/dev/kvm"
    let user: @Sendable () async -> QemuUser?

    func notes() async throws -> [Note] {
        guard HostFiles().exists(device) else { return [.ok("there is no \(device) that QEMU could open")] }
        guard let user = await user() else {
            return [.unknown("libvirt does not say whom QEMU runs as", "grep ^user /etc/libvirt/qemu.conf")]
        }
        guard try await user.denied(["readable", "writable"], to: [device]).isEmpty else {
            return [
                .critical(
                    "\(user.name), which QEMU runs as, may not open \(device): VMs with KVM do not start",
                    "usermod -aG kvm \(user.name) && chgrp kvm \(device) && chmod 660 \(device)")
            ]
        }
        return [.ok("\(user.name), which QEMU runs as, may open \(device)")]
    }
}
