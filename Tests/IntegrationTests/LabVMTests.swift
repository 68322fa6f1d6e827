// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension RealGuests {
    /// What only a whole host has, with systemd, AppArmor and KVM: a VM of its own (`Tests/lab/labvm`).
    @Suite
    struct WholeHost {
        @Test func runsAKVMGuestConfinedByAppArmor() throws {
            try Lab.checkPrepared()
            let scripts = "\(Lab.repository)/Tests/lab"
            // The shorter time is the script's; should it pass, the logs still come back.
            let outcome = try Shell.must(
                [
                    "\(scripts)/labvm", "run", "--programs", Lab.build, "--timeout", "1500",
                    "\(scripts)/vm/kvm-guest.sh",
                ], seconds: 2400)
            let wanted = [
                "ok: vctl host show: kvm", "ok: virsh dumpxml: kvm", "ok: QEMU's user: libvirt-qemu",
            ]
            for line in wanted { #expect(outcome.lines.contains(line), "\(outcome)") }
            let profile = try #require(outcome.lines.first { $0.hasPrefix("ok: AppArmor: ") })
            #expect(profile.hasSuffix(" (enforce)"), "\(profile)")
        }

        @Test func aGuardOutlivesItsService() throws {
            try Lab.checkPrepared()
            let scripts = "\(Lab.repository)/Tests/lab"
            let outcome = try Shell.must(
                [
                    "\(scripts)/labvm", "run", "--programs", Lab.build, "--timeout", "1500",
                    "\(scripts)/vm/bridge-guard.sh",
                ], seconds: 2400)
            for line in [
                "ok: the guard outlives: systemctl stop vctld",
                "ok: all is as it was after: systemctl stop vctld",
                "ok: all is as it was after: systemctl kill --signal=KILL vctld",
                "ok: what is confirmed stays", "ok: and goes when it is deleted",
                "ok: the ports' VLANs come back after: bridge set",
                "ok: the ports' VLANs come back after: bridge delete", "ok: a VLAN on a bridge keeps it",
            ] { #expect(outcome.lines.contains(line), "\(outcome)") }
        }

        @Test func securityGroupsLetInWhatTheyAllow() throws {
            try Lab.checkPrepared()
            let scripts = "\(Lab.repository)/Tests/lab"
            let outcome = try Shell.must(
                [
                    "\(scripts)/labvm", "run", "--programs", Lab.build, "--timeout", "1500",
                    "\(scripts)/vm/security-groups.sh",
                ], seconds: 2400)
            #expect(outcome.lines.contains("ok: no rule is left"), "\(outcome)")
        }

        @Test func theLimitOfDnsmasqIsNamed() throws {
            try Lab.checkPrepared()
            let scripts = "\(Lab.repository)/Tests/lab"
            let outcome = try Shell.must(
                [
                    "\(scripts)/labvm", "run", "--programs", Lab.build, "--timeout", "1500",
                    "\(scripts)/vm/inotify-limit.sh",
                ], seconds: 2400)
            #expect(outcome.lines.contains("ok: the hint helps"), "\(outcome)")
        }
    }
}
