// SPDX-License-Identifier: Apache-2.0
import Testing
import VctlAPI

@testable import vctld

@Suite struct StrictDecoderTests {
    private func decode<T: Decodable>(_ type: T.Type, _ text: String) throws -> T {
        try StrictDecoder.decode(type, from: try JSONParser.parse(Array(text.utf8)))
    }

    private func problem<T: Decodable>(_ type: T.Type, _ text: String) throws -> Problem {
        try #require(throws: Problem.self) { try decode(type, text) }
    }

    @Test func readsWhatIsRight() throws {
        let text = """
            {"name": "web1", "memoryBytes": 2147483648, "cpus": 2.0, "labels": {"a": "b"},
             "networks": [],
             "disks": [{"sizeBytes": 1024, "bus": "scsi"}], "firmware": "uefi-secure",
             "cloudInit": "#cloud-config"}
            """
        let create = try decode(VMCreate.self, text)
        #expect(create.name.rawValue == "web1")
        #expect(create.memoryBytes?.bytes == 2_147_483_648)
        #expect(create.cpus == 2)
        #expect(create.labels == ["a": "b"])
        #expect(create.networks?.isEmpty == true)
        #expect(create.disks?.first?.bus == .scsi)
        #expect(create.firmware == .uefiSecure)
        #expect(create.cloudInit?.reveal() == "#cloud-config")
    }

    @Test func namesEveryUnknownField() throws {
        let text =
            #"{"name": "web1", "ram": 1, "disks": [{"size": 1}, {"pol": "x"}], "labels": {"any": "key"}}"#
        let problem = try problem(VMCreate.self, text)
        #expect(problem.errorCode == .requestUnknownField)
        #expect(problem.errors?.map(\.field) == ["disks[0].size", "disks[1].pol", "ram"])
    }

    @Test func namesEveryWrongField() throws {
        let text = #"""
            {"name": "../x", "cpus": "two", "memoryBytes": -5, "firmware": "coreboot", "labels": {"a": 1},
             "disks": [{"sizeBytes": 1e30}, 7], "networks": [{"network": 5}], "sshKeys": {}, "start": null}
            """#
        let problem = try problem(VMCreate.self, text)
        #expect(problem.errorCode == .requestInvalid)
        let fields = Set(try #require(problem.errors).map(\.field))
        #expect(
            fields == [
                "name", "cpus", "memoryBytes", "firmware", "labels.a", "disks[0].sizeBytes", "disks[1]",
                "networks[0].network", "sshKeys", "start",
            ])
        #expect(problem.errors?.first { $0.field == "firmware" }?.problem.contains("uefi-secure") == true)
    }

    @Test func aMissingFieldIsNamedOnce() throws {
        #expect(try problem(VMCreate.self, "{}").errors?.map(\.field) == ["name"])
        #expect(try problem(VMCreate.self, "[]").errors?.map(\.field) == ["body"])
        #expect(
            try problem(VMWait.self, #"{"condition": "tcp:99999"}"#).errors?.map(\.field) == ["condition"])
    }

    @Test func anEmptyBodyTakesNoField() throws {
        _ = try decode(Empty.self, "{}")
        #expect(try problem(Empty.self, #"{"force": true}"#).errors?.map(\.field) == ["force"])
    }

    @Test func aNullRemovesALabel() throws {
        let patch = try decode(VMPatch.self, #"{"labels": {"a": null, "b": "c"}}"#)
        #expect(patch.labels?["a"] == .some(nil))
        #expect(patch.labels?["b"] == "c")
    }

    @Test func everyRequestTypeTakesExactlyThePublishedFields() throws {
        for endpoint in Endpoints.all {
            guard let body = endpoint.body, !body.isBytes else { continue }
            for property in body.schema.properties ?? [] where property.required {
                #expect(endpoint.body?.schema.properties?.isEmpty == false, "\(endpoint.id) \(property.name)")
            }
        }
    }
}
