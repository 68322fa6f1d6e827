// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Whether there can be bridges, which networks are made of.
struct BridgeFindings: HostCheck {
    let name = "network.bridge"
    let kernel: KernelParts

    func notes() async throws -> [Note] {
        switch kernel.state("bridge") {
        case .loadable: return [.ok("the kernel can make bridges; their module is loaded with the first")]
        case .absent:
            return [
                .critical(
                    "this kernel has no bridges: VMs cannot have networks",
                    "apt-get install linux-image-amd64, and boot that kernel")
            ]
        case .present, .unseen: return [try await trial()]
        }
    }

    /// Makes one in a network namespace that ends with the command, so that nobody sees it.
    private func trial() async throws -> Note {
        guard geteuid() == 0 else { return .unknown("only root can try to make a bridge") }
        let make = ["--net", "--", "ip", "link", "add", "name", "vctl-trial", "type", "bridge"]
        let answer = try await Tool("unshare", make).answer()
        guard answer.status != 0 else { return .ok("the kernel makes bridges") }
        let words = answer.errors.split(separator: "\n").last.map(String.init) ?? "status \(answer.status)"
        return .critical("a bridge cannot be made, and VMs cannot have networks: \(words)", "modprobe bridge")
    }
}

/// Whether there can be TAP devices, by which VMs are plugged into a network.
struct TapFindings: HostCheck {
    let name = "network.tap"
    let kernel: KernelParts

    func notes() -> [Note] {
        let device = "/dev/net/tun"
        guard kernel.files.exists(device) else {
            return [.critical("there is no \(device): VMs with NICs do not start", "modprobe tun")]
        }
        guard kernel.hasDevice("tun") else {
            guard kernel.state("tun") != .loadable else {
                return [.ok("the kernel can make TAP devices; their module is loaded with the first")]
            }
            return [.critical("\(device) has no driver: VMs with NICs do not start", "modprobe tun")]
        }
        let descriptor = open(kernel.files.path(device), O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            return [
                .unknown(
                    "\(device) cannot be opened (\(String(cString: strerror(errno))))", "ls -l \(device)")
            ]
        }
        close(descriptor)
        return [.ok("the kernel makes TAP devices")]
    }
}

/// Whether the kernel carries the data of VMs' NICs itself.
struct VhostFindings: HostCheck {
    let name = "network.vhost"
    let kernel: KernelParts

    func notes() -> [Note] {
        if kernel.hasDevice("vhost-net") {
            return [.ok("the kernel carries the data of VMs' NICs (vhost-net)")]
        }
        if kernel.state("vhost_net") == .loadable {
            return [.ok("vhost-net is there; its module is loaded with the first VM that uses it")]
        }
        let isHopeless = kernel.state("vhost_net") == .absent
        return [
            .warning(
                "there is no vhost-net: QEMU carries the data of VMs' NICs itself, which is slower",
                isHopeless ? "apt-get install linux-image-amd64, and boot that kernel" : "modprobe vhost_net")
        ]
    }
}
