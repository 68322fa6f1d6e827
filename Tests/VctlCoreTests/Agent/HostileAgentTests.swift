// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

@testable import VctlCore

/// Whoever is root in a guest says what its agent says.
@Suite struct HostileAgentTests {
    /// An agent that gives these answers to these commands, and fails with all others.
    private func agent(_ answers: [String: String]) -> GuestAgent {
        GuestAgent(vm: ObjectReference(kind: .vm, id: ObjectID(), name: "web")) { command, _ in
            struct Command: Decodable { var execute: String }
            let name = try JSON.value(Command.self, command).execute
            guard let answer = answers[name] else {
                throw Problem(.agentFailed, "the command \(name) has not been found")
            }
            return #"{"return":\#(answer)}"#
        }
    }

    private func guest(_ answers: [String: String]) async throws -> VM.Guest {
        try await GuestReader(agent: agent(answers.merging(["guest-ping": "{}"]) { $1 })).read(at: .now)
    }

    /// What the inventory would hold of it, in bytes.
    private func stored(_ value: some Encodable) throws -> Int { try JSONEncoder().encode(value).count }

    private let long = String(repeating: "x", count: 3 << 20)

    @Test func textsAreCutToALength() async throws {
        let accents = "a" + String(repeating: "\u{301}", count: 1 << 20)
        for text in [long, accents, String(repeating: "\\u0000", count: 100_000)] {
            let guest = try await guest([
                "guest-get-host-name": #"{"host-name":"\#(text)"}"#,
                "guest-get-osinfo": """
                {"id":"\(text)","pretty-name":"\(text)","version-id":"\(text)","kernel-release":"\(text)",
                "machine":"\(text)"}
                """,
                "guest-get-timezone": #"{"zone":"\#(text)","offset":0}"#,
                "guest-get-fsinfo": #"[{"name":"x","mountpoint":"\#(text)","type":"\#(text)","disk":[]}]"#,
            ])
            let texts = [
                guest.hostname, guest.os?.id, guest.os?.name, guest.os?.version, guest.os?.kernel,
                guest.os?.machine, guest.timezone, guest.fileSystems.first?.mountpoint,
                guest.fileSystems.first?.type,
            ]
            #expect(texts.map { $0?.unicodeScalars.count } == texts.map { _ in 256 })
            #expect(try stored(guest) < 20_000)
        }
    }

    @Test func listsAreCutToALength() async throws {
        let one = #"{"name":"x","mountpoint":"/a","type":"ext4","used-bytes":-1,"total-bytes":-9}"#
        let many = "[" + Array(repeating: one, count: 5000).joined(separator: ",") + "]"
        let guest = try await guest(["guest-get-fsinfo": many])
        #expect(guest.fileSystems.count == 64 && guest.fileSystems[0].mountpoint == "/a")
        #expect(guest.fileSystems[0].usedBytes == nil && guest.fileSystems[0].totalBytes == nil)
    }

    @Test(arguments: [
        "null", "[]", "{}", "7", "\"text\"", "[[[[]]]]", "{\"host-name\":7,\"zone\":[],\"id\":{}}",
        "[{\"mountpoint\":7,\"type\":\"x\"}]", "[{\"mountpoint\":\"/\",\"type\":\"x\",\"total-bytes\":1e40}]",
        "no JSON", "", "{\"a\":1}}{",
    ])
    func answersOfAnotherKindAreLeftOut(_ answer: String) async throws {
        let commands = [
            "guest-get-host-name", "guest-get-osinfo", "guest-get-timezone", "guest-get-fsinfo",
            "guest-network-get-interfaces",
        ]
        let answers = Dictionary(uniqueKeysWithValues: commands.map { ($0, answer) })
        let guest = try await guest(answers)
        #expect(guest.hostname == nil && guest.timezone == nil && guest.fileSystems.isEmpty)
        #expect(guest.os?.id == nil && guest.os?.name == nil)
        #expect(await GuestAddresses.read(agent(answers)).isEmpty)
    }

    @Test func controlCharactersComeToNoTerminal() async throws {
        let guest = try await guest([
            "guest-get-host-name": #"{"host-name":"a\u001b]0;x\u0007\n\u009b\u202eb"}"#
        ])
        let name = try #require(guest.hostname)
        #expect(shown(name) == #"a\u{1b}]0;x\u{7}\u{a}\u{9b}\u{202e}b"#)
        // Told as it is to programs, whose JSON escapes it.
        let json = try JSON.text(guest)
        #expect(!json.unicodeScalars.contains { $0.value < 0x20 } && json.lowercased().contains(#"\u001b"#))
    }

    private static let mac = "52:54:00:00:00:01"

    private func addresses(_ interfaces: String) async -> [String: [VM.Address]] {
        await GuestAddresses.read(agent(["guest-network-get-interfaces": interfaces]))
    }

    private func interface(_ mac: String, _ addresses: [String]) -> String {
        let list = addresses.map { #"{"ip-address":"\#($0)","ip-address-type":"ipv4","prefix":24}"# }
        return
            #"{"name":"eth0","hardware-address":"\#(mac)","ip-addresses":[\#(list.joined(separator: ","))]}"#
    }

    @Test func whatIsNoAddressIsNone() async {
        let said = [
            "192.0.2.7", "", "10.0.0.1; reboot", #"10.0.0.1\u001b[2J"#, "x", #"\u0000"#, "FE80::1",
            String(repeating: "1", count: 46), long, "2001:db8::1",
        ]
        let found = await addresses("[\(interface(Self.mac.uppercased(), said))]")
        #expect(found[Self.mac]?.map(\.address) == ["192.0.2.7", "2001:db8::1"])
        let odd =
            #"[{"hardware-address":"\#(Self.mac)","ip-addresses":[{"ip-address":"::1","prefix":-5},"#
            + #"{"ip-address":"::2","prefix":4000000000},{"ip-address":"::3","prefix":64}]}]"#
        #expect(await addresses(odd)[Self.mac]?.map(\.prefix) == [nil, nil, 64])
    }

    @Test func aNICHasSoManyAddressesAndNoMore() async {
        let many = (0..<20_000).map { "10.0.\($0 / 256 % 256).\($0 % 256)" }
        #expect(await addresses("[\(interface(Self.mac, many))]")[Self.mac]?.count == 64)
        let one = interface(Self.mac, Array(many.prefix(3)))
        let found = await addresses("[" + Array(repeating: one, count: 5000).joined(separator: ",") + "]")
        #expect(found.count == 1 && found[Self.mac]?.count == 64)
    }

    @Test func anAgentThatIsAwayIsNotAsked() async {
        let silent = GuestAgent(vm: ObjectReference(kind: .vm, id: ObjectID(), name: "web")) { _, _ in
            throw Problem(.agentUnresponsive, "no")
        }
        await #expect(throws: Problem.self) { _ = try await GuestReader(agent: silent).read(at: .now) }
        #expect(await GuestAddresses.read(silent).isEmpty)
    }
}
