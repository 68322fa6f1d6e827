// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// Every endpoint against everybody who may ask. What is expected is written down here from the rule for
    /// users, and not taken from the endpoints:
    ///
    /// viewer: reads, without consoles and secrets. operator: power, console, exec, create from images.
    /// admin: everything, alone libvirt's XML, paths and devices of the host. The read-only socket is viewer.
    @Suite(.hosted("roles"))
    struct Roles {
        /// Who is needed at the least, by the rule's own words.
        private static let rule: [Role: [String]] = [
            .viewer: [
                "vm.list", "vm.show", "vm.wait", "vm.xml", "image.list", "image.show", "operation.list",
                "operation.show", "operation.wait", "event.follow", "warning.list", "audit.list",
                "statistics", "host.show", "host.doctor", "version", "ready", "openapi", "profile.list",
                "profile.show", "tap.list", "tap.show", "bridge.list", "bridge.show", "network.list",
                "securitygroup.list", "securitygroup.show",
                "network.show",
                "network.leases", "network.reservation.list", "network.dns.list", "network.forward.list",
                "pool.list", "pool.show", "pool.volumes", "volume.list", "volume.show",
            ],
            .operate: [
                "vm.start", "vm.stop", "vm.restart", "vm.reset", "vm.pause", "vm.resume", "vm.suspend",
                "vm.console", "vm.console.show", "vm.console.log", "vm.console.input", "vm.exec", "vm.create",
            ],
            .admin: [
                "vm.disk.insert", "pool.create", "pool.set", "pool.delete", "pool.start", "pool.stop",
                "pool.refresh", "pool.adopt", "pool.release",
            ],
        ]

        /// What the rule does not name.
        private static let unnamed: [Role: [String]] = [
            // The daily use of VMs, from their beginning to their end.
            .operate: [
                "vm.set", "vm.delete", "vm.clone", "vm.disk.add", "vm.disk.remove", "vm.disk.resize",
                "vm.disk.eject", "vm.nic.add", "vm.nic.remove", "vm.nic.set", "operation.cancel",
                "operation.retry", "warning.ack", "warning.delete",
                // Who may run commands in a guest may read and write its files, and who may make a VM from
                // an image can read that.
                "vm.file.pull", "vm.file.push", "image.export",
                // Whoever has VMs on a network may ask whether it keeps its promise.
                "network.check",
                // A console, too.
                "vm.screenshot",
                // Disks of VMs, too; what vctl did not make is for admins.
                "volume.create", "volume.resize", "volume.delete", "volume.clone", "volume.flatten",
                "volume.wipe", "volume.download", "volume.upload",
            ],
            // What the VMs of all are made from, and what belongs to others.
            .admin: [
                "image.import", "image.set", "image.content", "image.delete", "vm.publish", "vm.adopt",
                "vm.release", "operation.abandon", "profile.create", "profile.set", "profile.delete",
                "tap.create", "tap.delete", "bridge.create", "bridge.set", "bridge.delete",
                "bridge.confirm", "bridge.rollback",
                "securitygroup.create", "securitygroup.set", "securitygroup.delete",
                // What a network is changes what the host lets through.
                "network.create", "network.set", "network.delete", "network.start", "network.stop",
                "network.adopt", "network.release", "network.reservation.add",
                "network.reservation.remove", "network.dns.add", "network.dns.remove",
                "network.forward.add", "network.forward.remove",
            ],
        ]

        private static let expected: [String: Role] = {
            let pairs = [rule, unnamed].flatMap { $0.flatMap { role, ids in ids.map { ($0, role) } } }
            return Dictionary(uniqueKeysWithValues: pairs)
        }()

        @Test func everyEndpointIsForThoseWhomTheRuleNames() throws {
            #expect(Set(Endpoints.all.map(\.id)) == Set(Self.expected.keys), "write down who may call it")
            let lab = try Self.prepared()
            let begin = try Self.audit(lab).map(\.sequence).max() ?? 0
            let asks = try Self.asks(lab)
            let answers = try Person.allCases.map { try lab.ask(asks, as: $0) }
            var table = ["endpoint".padded + Person.allCases.map(\.rawValue.padded).joined()]
            for (index, endpoint) in Endpoints.all.enumerated() {
                let row = answers.map { $0[index] }
                table.append(endpoint.id.padded + row.map { "\($0.status)".padded }.joined())
                for (person, told) in zip(Person.allCases, row) {
                    Self.check(endpoint, person, told)
                }
            }
            print(table.joined(separator: "\n"))
            let entries = try Self.audit(lab).filter { $0.sequence > begin && $0.code == "permission.denied" }
            Person.allCases.forEach { Self.theRefusalsAreNoted($0, entries) }
        }

        /// Reads are of what is there, and have to succeed; everything else names what is not there, so that
        /// nothing is changed.
        private static func asks(_ lab: Lab) throws -> [Ask] {
            let operation = try #require(try lab.operations().first { $0.status == .succeeded })
            let names = [
                "vm": "seen", "image": "tiny", "operation": "\(operation.id)", "profile": "plain",
                "tap": "seen0", "network": "default", "bridge": "virbr0", "pool": "default",
                "volume": "seen", "securitygroup": "shut",
            ]
            return Endpoints.all.map { Ask($0, isRead($0) ? names : [:]) }
        }

        private static func isRead(_ endpoint: Endpoint) -> Bool {
            expected[endpoint.id] == .viewer && endpoint.method == .get
        }

        private static func may(_ person: Person, _ endpoint: Endpoint) -> Bool {
            guard let least = expected[endpoint.id], let role = person.role else { return false }
            return role >= least
        }

        private static func check(_ endpoint: Endpoint, _ person: Person, _ told: Told) {
            let what: Comment = "\(endpoint.id), \(person): \(told)"
            if !may(person, endpoint) {
                #expect(told.status == 403 && told.code == "permission.denied", what)
            } else if isRead(endpoint) {
                #expect(told.status == 200, what)
            } else {
                #expect((400..<500).contains(told.status) && told.status != 403, what)
            }
        }

        /// One entry for each call that was refused, with who it was.
        private static func theRefusalsAreNoted(_ person: Person, _ entries: [AuditEntry]) {
            let noted = entries.filter { $0.requestor.uid == person.uid }
            let refused = Endpoints.all.filter { !may(person, $0) }
            #expect(noted.map(\.action).sorted() == refused.map(\.id).sorted(), "\(person)")
            #expect(noted.allSatisfy { $0.requestor.pid > 0 && $0.outcome == .refused }, "\(person)")
        }

        /// What only an admin may say in a request that others may send.
        @Test func theHostIsForAdmins() throws {
            let lab = try Self.prepared()
            for ask in [
                Ask("POST", "/v1/vms", #"{"name":"a","kernel":"/etc/passwd"}"#),
                Ask("POST", "/v1/vms", #"{"name":"a","kernel":"/nonexistent","initrd":"/nonexistent"}"#),
                Ask("POST", "/v1/vms", #"{"name":"a","cdrom":"/etc/passwd"}"#),
                Ask("POST", "/v1/vms", #"{"name":"a","import":"/etc/passwd"}"#),
                Ask("POST", "/v1/vms?dryRun=true", #"{"name":"a","xml":"<domain/>"}"#),
                Ask("PATCH", "/v1/vms/seen?dryRun=true", #"{"kernel":"/etc/passwd"}"#),
                Ask("PATCH", "/v1/vms/seen?dryRun=true", #"{"initrd":"/etc/passwd"}"#),
                Ask("PATCH", "/v1/vms/seen?dryRun=true", #"{"xml":"<domain/>"}"#),
                Ask("PATCH", "/v1/vms/seen?dryRun=true", #"{"xmlPatch":[{"xpath":"./vcpu","value":"2"}]}"#),
                Ask("POST", "/v1/vms/seen/disks", #"{"path":"/etc/passwd"}"#),
                Ask("POST", "/v1/vms/seen/disks", #"{"path":"/dev/null","readOnly":true}"#),
            ] {
                let denied = try lab.ask(ask, as: .operator)
                #expect(denied.status == 403 && denied.code == "permission.denied", "\(ask) \(denied)")
                let other = try lab.ask(ask, as: .admin)
                #expect(other.code != "permission.denied" && (200..<500).contains(other.status), "\(ask)")
            }
            let unchanged = try lab.vm("seen")
            #expect(unchanged.cpus == 1 && unchanged.disks.count { $0.device == "disk" } == 1)
        }

        @Test func noReadTellsASecret() throws {
            let lab = try Self.prepared()
            let foreign = try lab.write(
                "foreign.xml",
                """
                <domain type='qemu'><name>foreign</name><memory>65536</memory><os><type>hvm</type></os>
                <devices><graphics type='vnc' passwd='hunter2'/></devices></domain>
                """)
            try lab.virsh("define", foreign)
            #expect(try lab.virsh("dumpxml", "--security-info", "foreign").out.contains("hunter2"))
            try eventually("the VM of another is seen") { try lab.vms().contains { $0.name == "foreign" } }
            let reads = try ["seen", "foreign"].flatMap { vm in
                try Self.asks(lab).filter { $0.method == "GET" }.map { ask in
                    var ask = ask
                    ask.path = ask.path.replacingOccurrences(of: "/vms/seen", with: "/vms/\(vm)")
                    return ask
                }
            }
            for person in [Person.viewer, .readOnly, .operator, .admin] {
                for (ask, told) in zip(reads, try lab.ask(reads, as: person)) {
                    #expect(!told.body.contains("hunter2"), "\(ask), \(person)")
                }
            }
            try lab.virsh("undefine", "foreign")
        }

        /// Without groups in the configuration, who can open the socket is admin, and nobody else gets in.
        @Test func withoutGroupsTheSocketDecides() throws {
            let lab = try Lab.current
            try lab.restart("", open: false)
            let (read, change) = (Ask("GET", "/v1/audit"), Ask("POST", "/v1/vms/absent/actions/adopt", "{}"))
            for person in Person.allCases where person != .root {
                let told = try lab.ask([read, change], as: person)
                #expect(told.allSatisfy { $0.status == 0 && $0.body.isEmpty }, "\(person): \(told)")
            }
            let group = try lab.inside("stat", "-c", "%g", "/run/vctld/vctld.sock").text
            let inside = try lab.ask([read, change], as: .outsider, group: group)
            #expect(inside.map(\.status) == [200, 404], "\(inside)")
            let readers = try lab.inside("stat", "-c", "%g", "/run/vctld/vctld-ro.sock").text
            let reading = try lab.ask([read, change], as: .readOnly, group: readers)
            #expect(reading.map(\.status) == [200, 403], "\(reading)")
            try theCommandLineTakesTheSocketThatIsOpen(lab)
        }

        private func theCommandLineTakesTheSocketThatIsOpen(_ lab: Lab) throws {
            try lab.inside("chgrp", "adm", "/run/vctld/vctld.sock")
            try lab.inside("chgrp", "games", "/run/vctld/vctld-ro.sock")
            let vctl = { (group: String, words: [String]) in
                try Shell.run(
                    lab.vhostCommand(
                        "exec", lab.name, "setpriv", "--reuid", "64010", "--regid", "64010", "--groups",
                        group, "--", "\(Lab.build)/vctl") + words, environment: ["VCTL_LAB": Lab.base])
            }
            let change = ["vm", "adopt", "absent"]
            for (group, codes) in [("adm", [0, 3]), ("games", [0, 5]), ("daemon", [5, 5])] {
                let told = [try vctl(group, ["vm", "list"]), try vctl(group, change)]
                #expect(told.map(\.status) == codes.map(Int32.init), "\(group): \(told)")
            }
            let refused = try vctl("games", change)
            #expect(refused.err.contains("vm.adopt needs the role admin"), "\(refused)")
        }

        /// The host with groups for every role, and a VM to look at, whose seed holds a secret.
        private static func prepared() throws -> Lab {
            let lab = try Lab.current
            try lab.restart(Person.access, open: true)
            let seed = try lab.write("seed", "#cloud-config\npassword: hunter2\n")
            guard try !lab.vms().contains(where: { $0.name == "seen" }) else { return lab }
            try lab.must("profile", "create", "plain", "--cpus", "1", "--cloud-init", seed)
            try lab.must("tap", "create", "seen0")
            try lab.must("volume", "create", "default/seen", "--size", "1M")
            try lab.must("securitygroup", "create", "shut")
            try lab.create("seen", "--no-start", "--cloud-init", seed)
            return lab
        }

        private static func audit(_ lab: Lab) throws -> [AuditEntry] {
            try decode([AuditEntry].self, lab.ask(Ask("GET", "/v1/audit?limit=10000"), as: .root).body)
        }
    }
}

extension String {
    fileprivate var padded: String { padding(toLength: max(20, count + 1), withPad: " ", startingAt: 0) }
}
