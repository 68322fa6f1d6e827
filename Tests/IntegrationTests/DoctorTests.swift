// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// `vctl host doctor` on a host that is made worse, and mended by the commands that it names.
    @Suite(.hosted("doctor"))
    struct HostDoctor {
        @Test func aKVMThatIsNoneIsFoundOut() throws {
            let lab = try Lab.current
            // On every machine a vhost lacks the device: guests of tests run under emulation.
            let missing = try #require(try findings(lab)["kvm"]?.first)
            #expect(missing.status == .warning && missing.message.contains("/dev/kvm does not exist: "))
            #expect(missing.message.contains("emulation") && missing.hint != nil)
            // A device that opens, and is no KVM.
            try lab.inside("mknod", "-m", "666", "/dev/kvm", "c", "1", "3")
            let failing = try #require(try findings(lab)["kvm"]?.first)
            try lab.inside("rm", "/dev/kvm")
            #expect(failing.status == .warning, "\(failing)")
            #expect(
                failing.message.contains("a test guest fails under it (qemu-system-x86_64: "), "\(failing)")
            #expect(failing.hint?.contains("mv /dev/kvm /dev/kvm.off") == true)
        }

        @Test func forwardingIsMissedAndMended() throws {
            let lab = try Lab.current
            try lab.inside("sysctl", "-qw", "net.ipv4.ip_forward=0")
            let outcome = try lab.vctl("host", "doctor")
            #expect(outcome.status == 1 && outcome.err.isEmpty)
            let hint = try #require(try findings(lab)["network.ipv4Forwarding"]?.first?.hint)
            #expect(outcome.lines.contains { $0.hasSuffix("→ \(hint)") })
            try lab.inside("sh", "-c", hint)
            #expect(try findings(lab)["network.ipv4Forwarding"]?.map(\.status) == [.ok])
        }

        @Test func dockersPolicyIsFoundAndMended() throws {
            let lab = try Lab.current
            let docker = """
                iptables -P FORWARD DROP && iptables -N DOCKER-USER && iptables -I FORWARD -j DOCKER-USER &&
                ip link add br7 type bridge
                """
            #expect(try lab.inside("sh", "-c", docker).status == 0)
            let cut = try #require(try findings(lab)["network.forwardPolicy"])
            // libvirt has rules of its own for virbr0.
            #expect(cut.count == 1 && cut[0].status == .warning && cut[0].message.contains("VMs on br7 send"))
            try lab.inside("sh", "-c", try #require(cut[0].hint))
            #expect(try findings(lab)["network.forwardPolicy"]?.map(\.status) == [.ok])
            try lab.inside("sh", "-c", "iptables -P FORWARD ACCEPT; iptables -F DOCKER-USER; ip link del br7")
        }

        @Test func theWayToDisksIsTriedAsQEMUsUser() throws {
            let lab = try Lab.current
            let configuration = "\(lab.root)/etc/qemu.conf"
            let before = try String(contentsOfFile: configuration, encoding: .utf8)
            #expect(
                try findings(lab)["storage.access"]?.map(\.message) == [
                    "QEMU runs as root, and gets everywhere"
                ])
            try write(before.replacingOccurrences(of: "\"root\"", with: "\"libvirt-qemu\""), configuration)
            try lab.vhost("restart-libvirtd", lab.name)
            try lab.inside("chmod", "700", "/var/lib/libvirt/images")
            try eventually("libvirt is there again") { try findings(lab)["libvirt"]?.first?.status == .ok }
            let closed = try #require(try findings(lab)["storage.access"]).filter { $0.status == .critical }
            #expect(closed.count == 1, "\(closed)")
            #expect(closed.first?.message.contains("libvirt-qemu, which QEMU runs as, may not pass") == true)
            for hint in closed.compactMap(\.hint) { try lab.inside("sh", "-c", hint) }
            #expect(try findings(lab)["storage.access"]?.contains { $0.status == .critical } == false)
            try write(before, configuration)
            try lab.vhost("restart-libvirtd", lab.name)
        }

        @Test func withoutLibvirtThereAreStillAnswers() throws {
            let lab = try Lab.current
            try lab.vhost("stop-libvirtd", lab.name)
            try eventually("its end is noticed") { try findings(lab)["libvirt"]?.first?.status == .critical }
            let all = try findings(lab)
            #expect(all["storage.space"]?.isEmpty == false && all["memory"]?.first?.status != .unknown)
            #expect(all["qemu"]?.first?.status == .unknown)
            try lab.vhost("start-libvirtd", lab.name)
            try eventually("it is found again") { try findings(lab)["qemu"]?.first?.status == .ok }
        }

        @Test func nothingIsChanged() throws {
            let lab = try Lab.current
            let look = """
                ip -o link; ip route; nft list ruleset; cat /proc/modules /proc/mounts /proc/misc
                ls -lR /etc/libvirt /var/lib/libvirt /dev; sysctl -a 2>/dev/null | grep -E '^net.*forward'
                virsh list --all
                """
            func seen() throws -> String { try lab.inside("sh", "-c", look).out }
            _ = try findings(lab)
            let before = try seen()
            _ = try findings(lab)
            #expect(try seen() == before)
            #expect(before.contains("virbr0"))
        }

        private func write(_ text: String, _ path: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        }

        /// By check; each has at least one.
        private func findings(_ lab: Lab) throws -> [String: [Finding]] {
            let outcome = try lab.vctl("host", "doctor", "--format", "json")
            #expect(outcome.status < 2, "\(outcome)")
            return Dictionary(grouping: try decode([Finding].self, outcome.out), by: \.check)
        }
    }
}
