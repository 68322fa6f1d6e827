// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// Whether the programs are installed that are run by us, by libvirt, or instead of a guest's hardware.
struct ProgramFindings: HostCheck {
    let name = "programs"

    /// A program, and what is not possible without it.
    struct Program: Sendable {
        let name: String
        /// Debian's package.
        let package: String
        let purpose: String
        var isNeeded = false
    }

    var programs = [
        Program(
            name: "qemu-system-x86_64", package: "qemu-system-x86", purpose: "running VMs", isNeeded: true),
        Program(name: "qemu-img", package: "qemu-utils", purpose: "disks and images", isNeeded: true),
        Program(name: "setpriv", package: "util-linux", purpose: "running any tool", isNeeded: true),
        Program(name: "prlimit", package: "util-linux", purpose: "looking into images", isNeeded: true),
        Program(name: "xorriso", package: "xorriso", purpose: "cloud-init's seeds"),
        Program(name: "curl", package: "curl", purpose: "images from URLs"),
        Program(name: "dnsmasq", package: "dnsmasq-base", purpose: "DHCP in libvirt's networks"),
        Program(name: "swtpm", package: "swtpm", purpose: "TPMs"),
    ]
    /// Firmware is no program, but is missed in the same way.
    var firmware = "/usr/share/OVMF"

    func notes() -> [Note] {
        var lacking = programs.filter { Tool.locate($0.name) == nil }
        if !HostFiles().exists(firmware) {
            lacking.append(Program(name: "OVMF", package: "ovmf", purpose: "VMs with UEFI"))
        }
        guard !lacking.isEmpty else { return [.ok("every program that VMs can need is installed")] }
        return [true, false].compactMap { needed in
            let some = lacking.filter { $0.isNeeded == needed }
            guard !some.isEmpty else { return nil }
            let names = some.map { "\($0.name) (for \($0.purpose))" }.joined(separator: ", ")
            var packages: [String] = []
            for program in some where !packages.contains(program.package) { packages.append(program.package) }
            return Note(
                status: needed ? .critical : .warning, message: "not installed: \(names)",
                hint: "apt-get install \(packages.joined(separator: " "))")
        }
    }
}
