// SPDX-License-Identifier: Apache-2.0
import Libvirt

/// Something that one version of a program brought, as its release notes say.
struct VersionedFeature: Sendable {
    let what: String
    let since: LibvirtVersion

    /// What libvirt brought that VMs are the better for.
    static let ofLibvirt = [
        VersionedFeature(what: "incremental backups", since: .init(7, 6)),
        VersionedFeature(what: "deletion of external snapshots", since: .init(9, 0)),
        VersionedFeature(what: "a way back to external snapshots", since: .init(9, 9)),
        VersionedFeature(what: "networks that filter by nftables", since: .init(10, 4)),
    ]
}

/// How old libvirt is, and what that means.
struct LibvirtVersionFindings: HostCheck {
    let name = "libvirt"
    let hypervisor: Hypervisor

    /// Before this nothing was tried.
    static let oldest = LibvirtVersion(9, 0)

    func notes() async throws -> [Note] {
        do {
            return [Self.note(try await hypervisor.connection().libraryVersion())]
        } catch {
            return [
                .critical(
                    "libvirt at \(hypervisor.uri) cannot be reached: VMs can be looked at, not changed",
                    "systemctl status libvirtd")
            ]
        }
    }

    static func note(_ version: LibvirtVersion) -> Note {
        let lacking = VersionedFeature.ofLibvirt.filter { version < $0.since }
        let list = lacking.map { "\($0.what) (from \($0.since.major).\($0.since.minor))" }
        let without = list.isEmpty ? "" : ", still without \(list.joined(separator: ", "))"
        let words = "libvirt \(version)\(without)"
        guard version < oldest else { return .ok(words) }
        return .warning(
            "\(words); vctl is tested with \(oldest.major).\(oldest.minor) and newer",
            "upgrade the host to Debian 12 or newer")
    }
}

/// How old QEMU is, and what that means.
struct QemuVersionFindings: HostCheck {
    let name = "qemu"
    let deadline = LibvirtFacts.patience
    let hypervisor: Hypervisor

    static let oldest = LibvirtVersion(7, 2)

    func notes() async throws -> [Note] {
        let connection = try hypervisor.connection()
        let type = try await connection.hypervisorType()
        guard type == "QEMU" else { return [.ok("libvirt's driver is \(type), without QEMU")] }
        return [Self.note(try await connection.hypervisorVersion())]
    }

    static func note(_ version: LibvirtVersion) -> Note {
        guard version >= oldest else {
            return .warning(
                "QEMU \(version); vctl is tested with \(oldest.major).\(oldest.minor) and newer",
                "upgrade the host to Debian 12 or newer")
        }
        guard (version.major, version.minor) == (7, 2) else { return .ok("QEMU \(version)") }
        return .ok("QEMU \(version), which ends when vCPUs are taken away from a running VM")
    }

    init(hypervisor: Hypervisor) { self.hypervisor = hypervisor }
}
