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
            try eventually("ssh lets ada in", seconds: 180) {
                let login = try Self.ssh(
                    lab, key, vm, "echo I am $(id -un) on $(hostname); sudo -n true && echo may sudo")
                return login.contains("I am ada on cloudy") && login.contains("may sudo")
            }
            try password(lab, key, vm)
            try clone(lab, key, vm)
            try lab.must("vm", "stop", "cloudy", "--grace", "120s", "--force")
            try lab.remove("cloudy", "twin")
            try lab.must("image", "delete", "debian", "--yes")
        }

        private static let identity = """
            sync; hostname; cat /etc/machine-id; cat /sys/class/net/e*/address; \
            ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d" " -f2
            """

        /// The guest's own record of the new password is held against this machine's crypt(3).
        private func password(_ lab: Lab, _ key: String, _ vm: VM) throws {
            let secret = "geheim \(UUID().uuidString)"
            let file = try lab.write("password", "\(secret)\nno part of it\n")
            let set = ["vm", "set", "cloudy", "--user", "ada", "--password-file", file]
            #expect(try lab.run(set + ["--dry-run"]).status == 0)
            let record = "sudo -n getent shadow ada | cut -d: -f2"
            let before = try Self.ssh(lab, key, vm, record)
            let said = try lab.run(set)
            #expect(said.status == 0 && !(said.out + said.err).contains(secret), "\(said)")
            let hash = try Self.ssh(lab, key, vm, record).trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(hash.hasPrefix("$") && !before.contains(hash), "\(before) \(hash)")
            let crypt = try Shell.must(["perl", "-e", "print crypt($ARGV[0], $ARGV[1])", secret, hash])
            #expect(crypt.out == hash, "the first line of the file is the password")
            let nobody = try lab.vctl("vm", "set", "cloudy", "--user", "nobody2", "--password-file", file)
            #expect(nobody.status == 1 && nobody.err.contains("(agent.failed)"), "\(nobody)")
            let audit = try lab.must("query", "GET", "/v1/audit").out
            let events = try lab.must("query", "GET", "/v1/operations").out
            #expect(audit.contains("vm.set") && !(audit + events).contains(secret))
        }

        /// A clone of the running guest is somebody else.
        private func clone(_ lab: Lab, _ key: String, _ vm: VM) throws {
            let first = try Self.ssh(lab, key, vm, Self.identity).split(separator: "\n")
            let made = try Shell.must(
                [
                    "\(Lab.build)/vctl", "vm", "clone", "cloudy", "twin", "--start", "--wait-for",
                    "cloud-init",
                    "--timeout", "12m", "--format", "json",
                ], environment: ["VCTL_SOCKET": lab.socket], seconds: 780)
            let twin = try decode(VM.self, made.out)
            var second: [Substring] = []
            try eventually("ssh lets ada into the clone", seconds: 180) {
                second = try Self.ssh(lab, key, twin, Self.identity).split(separator: "\n")
                return second.count == first.count
            }
            #expect(first.first == "cloudy" && second.first == "twin")
            #expect(first.count == 4 && zip(first, second).allSatisfy { $0 != $1 }, "\(first) \(second)")
            #expect(second.dropFirst(2).first.map(String.init) == twin.nics[0].mac)
        }

        private static func ssh(_ lab: Lab, _ key: String, _ vm: VM, _ command: String) throws -> String {
            let address = try #require(vm.nics.first?.addresses.first { !$0.address.contains(":") }?.address)
            return try lab.inside(
                "ssh", "-i", key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                "-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "ada@\(address)", command, seconds: 120
            ).out
        }
    }
}
