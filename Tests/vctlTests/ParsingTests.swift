// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Testing
import VctlAPI
import VctlClient

@testable import vctl

@Suite struct ParsingTests {
    private func create(_ line: String) throws -> VMCreateCommand {
        try #require(
            try Vctl.parseAsRoot(["vm", "create"] + line.split(separator: " ").map(String.init))
                as? VMCreateCommand)
    }

    private func body(_ line: String) throws -> JSONNode {
        let request = try Request(Endpoints.named("vm.create")).json(try create(line).body())
        return try JSONNode(parsing: try #require(request.body))
    }

    @Test func everyFlagOfCreateArrives() throws {
        let node = try body(
            """
            web --image debian --full --cpus 2 --memory 2G --max-cpus 8 --max-memory 16GiB \
            --disk 20G,bus=scsi --disk 1.5G,pool=fast,format=raw,preallocation=full \
            --network lan,mac=52:54:00:AA:00:01,model=e1000e --user ann --firmware uefi-secure \
            --machine q35 --cpu-model max --label a=b --label c=d=e --autostart --protect --no-start \
            --description text --cdrom /iso --import /disk --kernel /k --initrd /i --cmdline x
            """)
        #expect(node["name"] == .string("web") && node["image"] == .string("debian"))
        #expect(node["clone"] == .string("full") && node["cpus"]?.integer == 2)
        #expect(node["memoryBytes"]?.integer == 2 << 30 && node["maxMemoryBytes"]?.integer == 16 << 30)
        #expect(node["disks"]?.elements.first?["bus"] == .string("scsi"))
        let second = try #require(node["disks"]?.elements.last)
        #expect(second["sizeBytes"]?.integer == 3 << 29 && second["pool"] == .string("fast"))
        #expect(second["format"] == .string("raw") && second["preallocation"] == .string("full"))
        let nic = try #require(node["networks"]?.elements.first)
        #expect(nic["mac"] == .string("52:54:00:aa:00:01") && nic["model"] == .string("e1000e"))
        #expect(node["firmware"] == .string("uefi-secure") && node["labels"]?["c"] == .string("d=e"))
        #expect(
            node["autostart"]?.truth == true && node["protected"]?.truth == true
                && node["start"]?.truth == false)
    }

    @Test func whatIsNotSaidIsNotSent() throws {
        #expect(try body("web").members.map(\.name) == ["name"])
    }

    @Test func everyKeyOfANICArrives() throws {
        let line = ["vm", "nic", "add", "web"]
        let keys = "vlan=20,mtu=1400,queues=2,isolated=yes,boot=1,link=no,inbound=10M/20M/64K,outbound=8k"
        let command = try #require(try Vctl.parseAsRoot(line + ["bridge=br0,\(keys)"]) as? VMNICAdd)
        let request = try Request(Endpoints.named("vm.nic.add"), ["web"]).json(command.nic)
        let node = try JSONNode(parsing: try #require(request.body))
        #expect(node["bridge"] == .string("br0") && node["network"] == nil)
        #expect(node["vlan"]?.integer == 20 && node["mtu"]?.integer == 1400 && node["queues"]?.integer == 2)
        #expect(node["isolated"]?.truth == true && node["link"]?.truth == false && node["boot"]?.integer == 1)
        #expect(node["inbound"]?["averageBitsPerSecond"]?.integer == 10_000_000)
        #expect(node["inbound"]?["peakBitsPerSecond"]?.integer == 20_000_000)
        #expect(node["inbound"]?["burstBytes"]?.integer == 64 << 10)
        #expect(node["outbound"]?["averageBitsPerSecond"]?.integer == 8000)
    }

    @Test func whatANICLosesIsNull() throws {
        let line = ["vm", "nic", "set", "web", "52:54:00:00:00:01"]
        let flags = [
            "--vlan", "none", "--mtu", "1400", "--queues", "none", "--boot", "none", "--inbound", "none",
            "--outbound", "10M,20M", "--no-isolated", "--no-link", "--model", "e1000e",
        ]
        let command = try #require(try Vctl.parseAsRoot(line + flags) as? VMNICSet)
        let request = try Request(Endpoints.named("vm.nic.set"), ["web", "x"]).json(try command.patch())
        let node = try JSONNode(parsing: try #require(request.body))
        for name in ["vlan", "queues", "boot", "inbound"] {
            #expect(node.members.contains { $0.name == name && $0.value == .null }, "\(name)")
        }
        #expect(node["mtu"]?.integer == 1400 && node["isolated"]?.truth == false)
        #expect(node["outbound"]?["peakBitsPerSecond"]?.integer == 20_000_000)
        #expect(node["link"]?.truth == false && node["model"] == .string("e1000e"))
        let empty = try #require(try Vctl.parseAsRoot(line) as? VMNICSet)
        #expect(throws: Failure.self) { try empty.patch() }
    }

    @Test func noNetworkIsAnEmptyList() throws {
        #expect(try body("web --network none")["networks"] == .array([]))
    }

    @Test func filesAreReadHere() throws {
        try Folder.with { folder in
            let (seed, keys) = ("\(folder)/seed", "\(folder)/keys")
            try "#cloud-config\n".write(toFile: seed, atomically: true, encoding: .utf8)
            try "# mine\nssh-ed25519 AAAA a\n\nssh-rsa BBBB b\n"
                .write(toFile: keys, atomically: true, encoding: .utf8)
            let node = try body("web --cloud-init \(seed) --ssh-key \(keys)")
            #expect(node["cloudInit"] == .string("#cloud-config\n"))
            #expect(
                node["sshKeys"] == .array([.string("ssh-ed25519 AAAA a"), .string("ssh-rsa BBBB b")]))
        }
    }

    @Test(arguments: [
        "vm create": "name", "vm create a/b": "a name has only", "vm create web --memory 0": "more than zero",
        "vm create web --memory -1G": "more than zero", "vm create web --memory 10E": "at most 1 EiB",
        "vm create web --cpus 0": "at least 1", "vm create web --cpus -3": "at least 1",
        "vm create web --disk 1G,size=2": "unknown key \"size\"; known are pool, bus, format, preallocation",
        "vm create web --disk 1G,bus=": "bus needs a value",
        "vm create web --disk 1G,bus=ide": "virtio, scsi, sata",
        "vm create web --disk 1G,pool=a,pool=b": "given twice",
        "vm create web --network lan,bogus=3": "unknown key \"bogus\"; known are mac, model, ip",
        "vm create web --network lan,vlan=4095": "from 1 to 4094",
        "vm create web --network lan,vlan=0": "1 to 4094",
        "vm nic add web lan,mtu=67": "from 68 to 65535", "vm nic add web lan,inbound=10MB": "bits per second",
        "vm nic add web lan,ip=10.0.0": "no IPv4 or IPv6 address",
        "vm nic add web lan,isolated=maybe": "known are yes, no", "vm nic add web lan,boot=0": "at least 1",
        "vm nic add web bridge=a/b": "the name of a link", "vm nic add web none": "none is no network",
        "vm nic add web bridge=abcdefghijklmnop": "at most 15 bytes",
        "vm nic set web 52:54:00:00:00:01 --outbound 1M,2M,3M,4M": "AVERAGE/PEAK/BURST",
        "vm nic set web 52:54:00:00:00:01 --mtu 65536": "from 68 to 65535",
        "vm create web --network lan,mac=01:00:00:00:00:00": "multicast",
        "vm create web --label x": "KEY=VALUE",
        "vm set web --label x=1 --unset-label x": "both name \"x\"",
        "vm create web --wait-for moon": "wait for running", "vm create web --linked --full": "--full",
        "vm create web --bogus": "--bogus", "vm list -f xml": "xml",
        "vm list --state asleep": "known are running",
        "vm wait web --timeout 5q": "this is no time", "vm wait web --timeout 0": "more than zero",
        "nonsense": "nonsense", "image import a b --checksum abc": "64 hexadecimal",
    ])
    func aMistakeIsNamed(_ line: String, _ reason: String) throws {
        let arguments = line.split(separator: " ").map(String.init)
        do {
            _ = try Vctl.parseAsRoot(arguments)
            Issue.record("\(line) was accepted")
        } catch {
            let failure = Entry.usageFailure(error, arguments)
            #expect(failure.message.contains(reason), "\(failure.message)")
            #expect(failure.exit == .usage && failure.lines.count == 2)
            #expect(failure.hint?.hasSuffix("--help") == true)
        }
    }

    @Test func formatOfAnImportHasTwoMeanings() throws {
        let line = ["image", "import", "a", "b", "--format", "qcow2", "-f", "json"]
        let command = try #require(try Vctl.parseAsRoot(line) as? ImageImport)
        #expect(try command.output.format == .json)
        #expect(try command.body().format == .qcow2)
    }

    @Test(arguments: [
        ("./vcpu=2", "./vcpu", "2"),
        ("//disk[@type='file']/target/@dev=vdb", "//disk[@type='file']/target/@dev", "vdb"),
        ("./os/boot[position()=1]/@dev=a=b", "./os/boot[position()=1]/@dev", "a=b"),
        ("./title=", "./title", ""),
    ])
    func aPatchIsCutAtItsOwnEqualsSign(_ text: String, _ xpath: String, _ value: String) throws {
        #expect(try Parse.xmlPatch(text) == XMLPatch(xpath: xpath, value: RemovableText(value)))
    }

    @Test func whatBelongsToTheGuestIsNotOurs() throws {
        for line in [
            ["exec", "web1", "ls", "--help", "-l"], ["vm", "exec", "--cwd", "/", "web1", "--", "ls", "-l"],
        ] {
            let root = try Vctl.parseAsRoot(line)
            let command = try #require((root as? ShortExec)?.command ?? root as? VMExecCommand)
            #expect(command.name == "web1" && command.command.contains("-l"))
        }
    }

    @Test(arguments: ["-": "stdin", "ftp://x/y": "ftp://"])
    func someSourcesAreRefused(_ source: String, _ word: String) throws {
        let command = try #require(
            try Vctl.parseAsRoot(["image", "import", "a", "--", source]) as? ImageImport)
        #expect { try command.body() } throws: { ($0 as? Failure)?.message.contains(word) == true }
    }

    @Test func labelsAreRemovedByNull() throws {
        let line = ["vm", "set", "web", "--label", "a=b", "--unset-label", "c", "--no-protect"]
        let command = try #require(try Vctl.parseAsRoot(line) as? VMSet)
        let request = try Request(Endpoints.named("vm.set"), ["web"]).json(try command.patch())
        let node = try JSONNode(parsing: try #require(request.body))
        #expect(node["labels"]?["a"] == .string("b") && node["protected"]?.truth == false)
        #expect(node["labels"]?.members.contains { $0.name == "c" && $0.value == .null } == true)
    }

    @Test(arguments: [
        ("500ms", 500), ("30", 30_000), ("60s", 60_000), ("5m", 300_000), ("1h30m", 5_400_000),
        ("2d", 172_800_000),
        ("0", 0),
    ])
    func timesAreRead(_ text: String, _ milliseconds: Int64) throws {
        #expect(try TimeSpan(text).milliseconds == milliseconds)
    }

    @Test(arguments: [
        "", "s", "-5s", "1.5h", "5 m", "1m30", "99999999999999999999s", "9223372036854775807d", "400000d",
    ])
    func otherTimesAreNone(_ text: String) {
        #expect(throws: InvalidValue.self) { try TimeSpan(text) }
    }

    @Test(
        arguments: [
            (["stop", "a"], nil, nil), (["stop", "a", "--force"], 0, true),
            (["stop", "a", "--grace", "90s"], 90, nil),
            (["stop", "a", "--grace", "1500ms", "--force"], 2, true),
        ] as [([String], Int?, Bool?)])
    func graceAndForce(_ arguments: [String], _ grace: Int?, _ force: Bool?) throws {
        let command = try #require(try Vctl.parseAsRoot(["vm"] + arguments) as? VMStopCommand)
        #expect(command.stop.graceSeconds == grace)
        #expect(command.stop.force == (force ?? false))
    }
}

@Suite struct LeadingOptionsTests {
    @Test(arguments: [
        (["--socket", "/a", "vm", "list"], ["vm", "list", "--socket", "/a"]),
        (
            ["--host", "ssh://a", "--socket=/a", "vm", "list"],
            ["vm", "list", "--host", "ssh://a", "--socket=/a"]
        ),
        (["--socket=/a", "vm", "list"], ["vm", "list", "--socket=/a"]),
        (["--socket", "/a", "exec", "web", "ls"], ["exec", "--socket", "/a", "web", "ls"]),
        (["vm", "list"], ["vm", "list"]), (["--socket"], ["--socket"]), ([], []),
    ])
    func theyMoveBehindTheVerb(_ typed: [String], _ read: [String]) {
        #expect(LeadingOptions.moved(typed) == read)
    }
}
