// SPDX-License-Identifier: Apache-2.0
import Glibc

/// What the kernel is told at a link of ours.
enum HostSwitch {
    /// Lets packets of the host to itself leave by a bridge, where a rule of ours sends them. What comes in
    /// by it for 127.0.0.1 is dropped by another.
    static func routeLoopback(_ bridge: String, _ isOn: Bool) {
        turn("/proc/sys/net/ipv4/conf/\(bridge)/route_localnet", isOn)
    }

    /// Lets a guest reach itself by a port of the host. Where br_netfilter shows bridged packets to the
    /// filters, what is translated stays in the bridge, which sends nothing back where it came from.
    static func hairpin(_ tap: String) {
        guard HostFiles().text("/proc/sys/net/bridge/bridge-nf-call-iptables") == "1" else { return }
        turn("/sys/class/net/\(tap)/brport/hairpin_mode", true)
    }

    /// Keeps a guest from others that are kept so, on a bridge that it was put into anew.
    static func isolate(_ tap: String) { turn("/sys/class/net/\(tap)/brport/isolated", true) }

    private static func turn(_ path: String, _ isOn: Bool) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        _ = write(descriptor, isOn ? "1" : "0", 1)
    }
}
