// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension RealGuests {
    /// What only a whole host has, with systemd, AppArmor and KVM: a VM of its own (`Tests/lab/labvm`).
    @Suite
    struct WholeHost {
        /// What a script of `Tests/lab/vm` says, that has to pass in such a VM.
        private func labVM(_ script: String) throws -> Outcome {
            try Lab.checkPrepared()
            let folder = "\(Lab.repository)/Tests/lab"
            // The shorter time is the script's; should it pass, the logs still come back.
            return try Shell.must(
                [
                    "\(folder)/labvm", "run", "--programs", Lab.build, "--timeout", "1500",
                    "\(folder)/vm/\(script)",
                ], seconds: 2400)
        }

        @Test func runsAKVMGuestConfinedByAppArmor() throws {
            let outcome = try labVM("kvm-guest.sh")
            let wanted = [
                "ok: vctl host show: kvm", "ok: virsh dumpxml: kvm", "ok: QEMU's user: libvirt-qemu",
            ]
            for line in wanted { #expect(outcome.lines.contains(line), "\(outcome)") }
            let profile = try #require(outcome.lines.first { $0.hasPrefix("ok: AppArmor: ") })
            #expect(profile.hasSuffix(" (enforce)"), "\(profile)")
        }

        @Test func aGuardOutlivesItsService() throws {
            let outcome = try labVM("bridge-guard.sh")
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
            let outcome = try labVM("security-groups.sh")
            #expect(outcome.lines.contains("ok: no rule is left"), "\(outcome)")
        }

        @Test func theLimitOfDnsmasqIsNamed() throws {
            let outcome = try labVM("inotify-limit.sh")
            #expect(outcome.lines.contains("ok: the hint helps"), "\(outcome)")
        }
    }
}
