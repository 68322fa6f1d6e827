// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// Debian's cloud image, by cloud-init to an ssh login. Without KVM this takes minutes.
    @Suite(.hosted("cloud"))
    struct WholeCloudImage {
        @Test func isProvisionedToALogin() throws {
            let lab = try Lab.current
            let source = "\(Lab.images)/debian12.qcow2"
            guard FileManager.default.fileExists(atPath: source) else {
                throw NotPrepared(missing: "\(source) is not there")
            }
            let key = "\(lab.files)/key"
            try Shell.must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key])
            try lab.must("image", "import", "debian", source)
            let made = try Shell.must(
                [
                    "\(Lab.build)/vctl", "vm", "create", "cloudy", "--image", "debian", "--memory", "1G",
                    "--disk", "4G", "--user", "ada", "--ssh-key", "\(key).pub", "--wait-for", "cloud-init",
                    "--timeout", "12m", "--format", "json",
                ], environment: ["VCTL_SOCKET": lab.socket], seconds: 780)
            let vm = try decode(VM.self, made.out)
            let address = try #require(vm.nics.first?.addresses.first { !$0.address.contains(":") }?.address)
            try eventually("ssh lets ada in", seconds: 180) {
                let login = try lab.inside(
                    "ssh", "-i", key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                    "-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "ada@\(address)",
                    "echo I am $(id -un) on $(hostname); sudo -n true && echo may sudo", seconds: 120)
                return login.out.contains("I am ada on cloudy") && login.out.contains("may sudo")
            }
            try lab.must("vm", "stop", "cloudy", "--grace", "120s", "--force")
            try lab.remove("cloudy")
            try lab.must("image", "delete", "debian", "--yes")
        }
    }
}
