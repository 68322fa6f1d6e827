// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

@Suite struct ValueTests {
    @Test(arguments: ["web1", "a", "A.b_c-d", String(repeating: "x", count: 63)])
    func goodNames(_ text: String) throws {
        #expect(try Name(text).rawValue == text)
    }

    @Test(arguments: [
        "", "-a", ".a", "a/b", "..", "a b", "a\u{7}", "é", String(repeating: "x", count: 64),
        "6ba7b810-9dad-41d1-80b4-00c04fd430c8", "6BA7B810-9DAD-41D1-80B4-00C04FD430C8", "a\n",
    ])
    func badNames(_ text: String) {
        #expect(throws: InvalidValue.self) { try Name(text) }
    }

    @Test func refusedTextIsShownShortAndHarmless() {
        let error = #expect(throws: InvalidValue.self) {
            try Name("\u{1B}[31m" + String(repeating: "x", count: 10_000))
        }
        #expect(error.map { $0.value.count < 100 && !$0.value.contains("\u{1B}") } == true)
    }

    @Test(arguments: [
        ("512M", Int64(512 << 20)), ("20G", 20 << 30), ("1.5GiB", 3 << 29), ("4096", 4096), ("1T", 1 << 40),
        ("2k", 2048),
    ])
    func goodSizes(_ text: String, _ bytes: Int64) throws {
        #expect(try ByteCount(text).bytes == bytes)
    }

    @Test(arguments: ["0", "-1", "10E", "", "G", "1X", "1 G", "nan", "inf", "0.1", "1e400", "--5"])
    func badSizes(_ text: String) {
        #expect(throws: InvalidValue.self) { try ByteCount(text) }
    }

    @Test(arguments: [
        (Int64(0), "0 B"), (1023, "1023 B"), (1 << 30, "1 GiB"), (3 << 29, "1.5 GiB"), (1_048_575, "1 MiB"),
    ])
    func sizesForPeople(_ bytes: Int64, _ text: String) {
        #expect(ByteCount.human(bytes) == text)
    }

    @Test func numbersHaveBounds() throws {
        #expect(try VLANID("1").number == 1 && VLANID(checking: 4094).number == 4094)
        #expect(try MTU("68").number == 68 && MTU(checking: 65535).number == 65535)
        for text in ["0", "4095", "-1", "x", "", "1.5", "99999999999999999999"] {
            #expect(throws: InvalidValue.self) { try VLANID(text) }
        }
        for number in [67, 65536, -1] { #expect(throws: InvalidValue.self) { try MTU(checking: number) } }
        let decode = { (text: String) in try JSONDecoder().decode([VLANID].self, from: Data(text.utf8)) }
        #expect(try decode("[20]").first?.number == 20)
        #expect(throws: DecodingError.self) { try decode("[4095]") }
    }

    @Test(arguments: [
        ("8k", 8000, "8 kbit/s"), ("10M", 10_000_000, "10 Mbit/s"), ("1.5G", 1_500_000_000, "1500 Mbit/s"),
        ("10Mbit", 10_000_000, "10 Mbit/s"), ("16000", 16000, "16 kbit/s"),
        ("400G", 400_000_000_000, "400 Gbit/s"),
    ])
    func goodRates(_ text: String, _ bits: Int, _ shown: String) throws {
        #expect(try BitRate(text).number == bits && BitRate(text).description == shown)
    }

    @Test(arguments: ["0", "-1M", "", "M", "1k", "10MB", "10X", "401G", "1e400", "nan", "inf"])
    func badRates(_ text: String) {
        #expect(throws: InvalidValue.self) { try BitRate(text) }
    }

    @Test func namesOfLinks() throws {
        for text in ["br0", "a", "vlan_1.20", "abcdefghijklmno"] {
            #expect(try LinkName(checking: text).rawValue == text)
        }
        for text in ["", ".", "..", "-x", "a/b", "a b", "abcdefghijklmnop", "ä", "a\n", "a=b"] {
            #expect(throws: InvalidValue.self) { try LinkName(checking: text) }
        }
    }

    @Test func timesKeepTheirMilliseconds() throws {
        for milliseconds in [Int64(0), 1, 999, 1_769_847_300_250, 1_795_222_519_287] {
            let time = Timestamp(milliseconds: milliseconds)
            #expect(try Timestamp(checking: time.description) == time)
        }
        #expect(try Timestamp(checking: "2026-01-31T08:15:00Z").milliseconds == 1_769_847_300_000)
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"), (4_107_542_399_001, "2100-02-28T23:59:59.001Z"),
        (1_769_847_300_250, "2026-01-31T08:15:00.250Z"), (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
    ])
    func timesAreWrittenInFull(_ milliseconds: Int64, _ text: String) {
        #expect(Timestamp(milliseconds: milliseconds).description == text)
    }

    @Test func aReferenceIsAnIdOrAName() {
        #expect(Reference("6BA7B810-9DAD-41D1-80B4-00C04FD430C8") == .id(ObjectID.example))
        #expect(Reference("web1") == .name("web1"))
    }

    @Test(arguments: ["running", "cloud-init", "tcp:22", "tcp:65535"])
    func conditions(_ text: String) throws {
        #expect(try WaitCondition(checking: text).description == text)
    }

    @Test(arguments: ["", "tcp:", "tcp:0", "tcp:65536", "udp:1", "Running"])
    func badConditions(_ text: String) {
        #expect(throws: InvalidValue.self) { try WaitCondition(checking: text) }
    }
}

@Suite struct SecretTests {
    private struct Holder: Codable {
        var name: String
        var secret: Secret
    }

    @Test func aSecretIsNeverShown() throws {
        let holder = Holder(name: "n", secret: Secret("hunter2"))
        let json = String(decoding: try JSONEncoder().encode(holder), as: UTF8.self)
        let texts = [json, "\(holder)", "\(holder.secret)", String(reflecting: holder)]
        #expect(texts.allSatisfy { !$0.contains("hunter2") })
    }

    @Test func onlyAClientThatSaysSoSendsIt() throws {
        let encoder = JSONEncoder()
        encoder.userInfo[.revealsSecrets] = true
        let json = String(
            decoding: try encoder.encode(Holder(name: "n", secret: Secret("hunter2"))), as: UTF8.self)
        #expect(json.contains("hunter2"))
    }
}
