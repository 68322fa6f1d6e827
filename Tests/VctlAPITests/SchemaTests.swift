// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

@Suite struct SchemaTests {
    @Test func theProbeFindsEveryFieldAndWhatIsRequired() throws {
        let schema = SchemaProbe.schema(of: VMCreate.self)
        let properties = try #require(schema.properties)
        let required = properties.filter(\.required).map(\.name)
        #expect(required == ["name"])
        #expect(properties.contains { $0.name == "import" && $0.schema.type == "string" })
        let disks = try #require(properties.first { $0.name == "disks" }?.schema)
        #expect(disks.type == "array")
        #expect(disks.items?.schema.properties?.contains { $0.name == "sizeBytes" } == true)
    }

    @Test func aLabelOfAPatchMayBeNull() throws {
        let labels = SchemaProbe.schema(of: VMPatch.self).properties?.first { $0.name == "labels" }?.schema
        #expect(labels?.additional?.schema.nullable == true)
    }

    @Test func aDescriptionOfAPatchMayBeNull() throws {
        let schema = SchemaProbe.schema(of: VMPatch.self).properties?.first { $0.name == "description" }?
            .schema
        #expect(schema?.nullable == true)
        #expect(schema?.maxLength == Limits.description)
        let patch = try JSONDecoder().decode([RemovableText].self, from: Data("[null,\"\",\"a\"]".utf8))
        #expect(patch.map(\.text) == ["", "", "a"])
        #expect(String(decoding: try JSONEncoder().encode(patch), as: UTF8.self) == "[null,null,\"a\"]")
    }

    /// Encodes a value with all fields set and compares its keys with the schema's.
    @Test func theSchemaOfAVMHasItsKeys() throws {
        var vm = VM(
            id: ObjectID(), name: "a", state: .running, cpus: 1, memoryBytes: 1, managed: true,
            observedAt: .now)
        vm.description = "d"
        vm.stateReason = .booted
        vm.pending = ["cpus": "2"]
        let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(vm)) as? [String: Any]
        let known = Set(SchemaProbe.schema(of: VM.self).properties?.map(\.name) ?? [])
        let keys = Set((object ?? [:]).keys)
        #expect(keys.count > 10)
        #expect(keys.isSubset(of: known))
    }

    private func names<T: Decodable & SendableMetatype>(_ type: T.Type) -> Set<String> {
        Set(SchemaProbe.schema(of: type).properties?.map(\.name) ?? [])
    }

    /// What a request for a VM can say and a profile cannot is written down here.
    @Test func aProfileKnowsWhatARequestForAVMSays() {
        let settings = names(ProfileSettings.self)
        #expect(names(ProfileSettingsPatch.self) == settings)
        #expect(Set(ProfileSettingsPatch.names) == settings)
        let ofOneVM: Set = [
            "name", "profile", "cdrom", "import", "xml", "kernel", "initrd", "cmdline", "start", "disks",
        ]
        let secrets: Set = ["cloudInit", "networkConfig"]
        #expect(secrets.isSubset(of: names(ProfileCreate.self)))
        #expect(names(VMCreate.self).subtracting(ofOneVM.union(secrets)) == settings.subtracting(["disk"]))
    }

    @Test func anEmptyBodyHasNoFields() {
        #expect(SchemaProbe.schema(of: Empty.self).properties?.isEmpty == true)
    }
}

@Suite struct EndpointTests {
    @Test func idsAndPathsAreUnique() {
        let endpoints = Endpoints.all
        #expect(Set(endpoints.map(\.id)).count == endpoints.count)
        #expect(Set(endpoints.map { "\($0.method.rawValue) \($0.path)" }).count == endpoints.count)
    }

    @Test func aParameterHasOneNameAtOnePlace() {
        var names: [String: String] = [:]
        for endpoint in Endpoints.all {
            let parts = endpoint.path.split(separator: "/").map(String.init)
            for (index, part) in parts.enumerated() where part.hasPrefix("{") {
                let place = parts[..<index].joined(separator: "/")
                #expect(names[place, default: part] == part, "\(endpoint.path)")
                names[place] = part
            }
        }
    }

    @Test func readersChangeNothing() {
        for endpoint in Endpoints.all where endpoint.role == .viewer {
            #expect(!endpoint.changes, "\(endpoint.id)")
        }
    }
}

@Suite struct ErrorTableTests {
    @Test func everyCodeHasAnErrorStatusAndANonZeroExit() {
        for code in ErrorCode.allCases {
            #expect((400..<600).contains(code.status), "\(code.rawValue)")
            #expect(code.exitCode != 0, "\(code.rawValue)")
        }
    }

    @Test(arguments: [
        (404, ExitCode.notFound), (409, .conflict), (412, .conflict), (403, .denied), (503, .unreachable),
        (400, .usage),
        (405, .usage), (413, .usage), (415, .usage), (422, .usage), (500, .failed), (507, .failed),
        (502, .failed), (504, .failed),
        (200, .success),
        (202, .success),
    ])
    func statusesHaveTheirExits(_ status: Int, _ exit: ExitCode) {
        #expect(ExitCode.forStatus(status) == exit)
    }

    @Test func aProblemSurvivesTheWire() throws {
        let problem = Problem(
            .vmBusy, "busy", hint: "wait", operation: .example, errors: [FieldProblem("a", "b")],
            libvirt: LibvirtDetail(code: 1, domain: 2, message: "m"))
        let again = try JSONDecoder().decode(Problem.self, from: JSONEncoder().encode(problem))
        #expect(again == problem)
        #expect(again.errorCode == .vmBusy)
        #expect(again.exitCode == 4)
    }
}
