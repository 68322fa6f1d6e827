// SPDX-License-Identifier: Apache-2.0
import VirtXML

/// Whether something holds a guest that has broken out of QEMU.
struct ConfinementFindings: HostCheck {
    let name = "confinement"
    let deadline = LibvirtFacts.patience
    let files: HostFiles
    let capabilities: @Sendable () async throws -> CapabilitiesXML

    func notes() async throws -> [Note] {
        let models = try await capabilities().securityModels.compactMap(\.model)
        if models.contains("apparmor") { return [.ok("libvirt confines each VM by AppArmor")] }
        if models.contains("selinux") { return [.ok("libvirt confines each VM by SELinux")] }
        let danger = "a guest that breaks out of QEMU is held by nothing but the rights of QEMU's user"
        guard QemuConfiguration(files).value("security_driver") != "none" else {
            return [
                .warning(
                    "security_driver is \"none\" in /etc/libvirt/qemu.conf: \(danger)",
                    "remove that line, then: systemctl restart libvirtd")
            ]
        }
        guard files.text("/sys/module/apparmor/parameters/enabled") == "Y" else {
            return [
                .warning(
                    "the kernel runs without AppArmor and SELinux: \(danger)",
                    "apt-get install apparmor, and boot with apparmor=1 security=apparmor on the kernel's"
                        + " command line")
            ]
        }
        return [
            .warning(
                "AppArmor is on, but libvirt does not use it, since libvirtd itself is not confined:"
                    + " \(danger)",
                "apt-get install apparmor && systemctl restart apparmor libvirtd")
        ]
    }
}
