// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI
import Yams

@testable import VctlCore

struct SeedTests {
    private func request(_ change: (inout SeedRequest) -> Void = { _ in }) -> SeedRequest {
        var request = SeedRequest(instanceID: "i-1", hostname: "web1")
        change(&request)
        return request
    }

    private func load(_ text: String?) throws -> [String: Any] {
        let yaml = try #require(text)
        return try #require(try Yams.load(yaml: yaml) as? [String: Any])
    }

    @Test func userMayBecomeRoot() throws {
        let keys = ["ssh-ed25519 AAAA me@host\n", "ssh-rsa BBBB it's: \"me\" # no comment"]
        let seed = try request {
            $0.user = "admin"
            $0.sshKeys = keys
        }.seed()
        #expect(seed.userData.hasPrefix("#cloud-config\n"))
        let data = try load(seed.userData)
        let user = try #require((data["users"] as? [[String: Any]])?.first)
        #expect(user["name"] as? String == "admin")
        #expect(user["sudo"] as? String == "ALL=(ALL) NOPASSWD:ALL")
        #expect(user["shell"] as? String == "/bin/bash")
        #expect(user["lock_passwd"] as? Bool == true)
        #expect(user["ssh_authorized_keys"] as? [String] == ["ssh-ed25519 AAAA me@host", keys[1]])
        #expect(UserData.problem(with: seed.userData) == nil)
    }

    @Test func keysWithoutAUserAreForTheImagesOwn() throws {
        let seed = try request { $0.sshKeys = ["ssh-ed25519 AAAA"] }.seed()
        let data = try load(seed.userData)
        #expect(data["ssh_authorized_keys"] as? [String] == ["ssh-ed25519 AAAA"])
        #expect(data["users"] == nil)
    }

    @Test(arguments: ["yes", "null", "1e3", "0x10", "2024-01-01", "~", "on"]) func wordsStayText(
        _ word: String
    ) throws {
        let seed = try SeedRequest(instanceID: word, hostname: word).seed()
        let data = try load(seed.metaData)
        #expect(data["instance-id"] as? String == word && data["local-hostname"] as? String == word)
    }

    @Test func networkIsMatchedByAddress() throws {
        let seed = try request { $0.macs = ["52:54:00:AA:BB:CC", "52:54:00:00:00:02"] }.seed()
        let data = try load(seed.networkConfig)
        #expect(data["version"] as? Int == 2)
        let nics = try #require(data["ethernets"] as? [String: [String: Any]])
        #expect((nics["nic0"]?["match"] as? [String: String]) == ["macaddress": "52:54:00:aa:bb:cc"])
        #expect(nics["nic0"]?["dhcp4"] as? Bool == true && nics["nic0"]?["optional"] == nil)
        #expect(nics["nic1"]?["optional"] as? Bool == true)
        #expect(try request().seed().networkConfig == nil)
    }

    @Test func givenTextsArePassedOn() throws {
        let text = "#cloud-config\n# a comment that stays\nruncmd: [ls]\n"
        let seed = try request {
            $0.cloudInit = Secret(text)
            $0.networkConfig = Secret("version: 2\n")
            $0.macs = ["52:54:00:00:00:01"]
        }.seed()
        #expect(seed.userData == text && seed.networkConfig == "version: 2\n")
    }

    @Test func namesBecomeHostNames() {
        #expect(CloudConfig.hostname("web_1.example.") == "web-1.example")
        #expect(CloudConfig.hostname("a-._-") == "a")
    }

    @Test func bothWaysOfLoggingInAreRefused() {
        let problems = request {
            $0.user = "admin"
            $0.sshKeys = ["ssh-ed25519 AAAA"]
            $0.cloudInit = Secret("#cloud-config\na: 1\n")
        }.problems()
        #expect(problems.map(\.field) == ["user", "sshKeys"])
    }

    @Test(arguments: ["", "Admin", "a b", "-x", "9x", "x:y", "é", "x\n", String(repeating: "x", count: 33)])
    func badUserNamesAreRefused(_ name: String) {
        #expect(request { $0.user = name }.problems().map(\.field) == ["user"])
    }

    @Test(arguments: [
        "", "AAAA", "ssh-rsa A\nssh-rsa B", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n",
        "ssh-rsa \u{1b}[31m",
        "ssh-rsa " + String(repeating: "A", count: 20000),
    ])
    func badKeysAreRefused(_ key: String) {
        #expect(
            request { $0.sshKeys = ["ssh-ed25519 AAAA\n", key] }.problems().map(\.field) == ["sshKeys[1]"])
    }

    @Test(arguments: [
        "#cloud-config\na: 1\n", "\n#cloud-config\n{}\n", "#!/bin/sh\nls\n", "#include\nhttp://x\n",
        "#cloud-boothook\nls\n", "## template: jinja\n#cloud-config\n{% if %}\n",
        "Content-Type: multipart/mixed; boundary=\"x\"\n", "MIME-Version: 1.0\n",
        "#cloud-config-archive\n- a: 1\n",
        "#cloud-config\r\na: 1\r\n",
    ])
    func knownKindsPass(_ text: String) { #expect(UserData.problem(with: text) == nil) }

    @Test(arguments: [
        "", "packages: [vim]\n", "\u{FEFF}#cloud-config\na: 1\n", "# cloud-config\na: 1\n",
        "#cloud-config\n- a\n",
        "#cloud-config\na: [\n", "#cloud-config\na: \u{0}\n", "#cloud-config-archive\na: 1\n",
        "\u{1f}\u{8b}x",
    ])
    func otherTextsAreRefused(_ text: String) {
        #expect(request { $0.cloudInit = Secret(text) }.problems().map(\.field) == ["cloudInit"])
    }

    @Test func sizeIsBounded() {
        let long = "#!/bin/sh\n" + String(repeating: "x", count: 1 << 20)
        #expect(request { $0.cloudInit = Secret(long) }.problems().first?.problem.contains("1 MiB") == true)
        #expect(request { $0.networkConfig = Secret(long) }.problems().first?.field == "networkConfig")
        #expect(request { $0.networkConfig = Secret("- a\n") }.problems().first?.field == "networkConfig")
    }
}
