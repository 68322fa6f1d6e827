// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI
import VirtXML

@testable import VctlCore

struct MarkTests {
    private let described = PlanSamples.all.first { $0.name == "described" }!.plan

    @Test(arguments: PlanSamples.all.map(\.name)) func markSurvivesTheDefinition(_ name: String) throws {
        let plan = try #require(PlanSamples.all.first { $0.name == name }).plan
        #expect(Mark(in: try DomainXML(parsing: plan.domainXML().xml)) == plan.mark)
    }

    /// libvirt refuses a prefix in what it is told to set, and drops it in what it is asked for.
    @Test func markSurvivesLibvirtsMetadataCalls() async throws {
        let folder = try TemporaryFolder()
        var plan = PlanSamples.plain { $0.flavor = .test }
        plan.labels = ["old": "x"]
        let path = try folder.write(plan.domainXML().xml, to: "domain.xml")
        let text = try folder.write(described.mark.metadataText, to: "mark.xml")
        let script = """
            import libvirt, sys
            c = libvirt.open('test:///default')
            d = c.defineXML(open(sys.argv[1]).read())
            d.setMetadata(2, open(sys.argv[2]).read(), 'vctl', 'urn:vctl:1', 2)
            print(d.metadata(2, 'urn:vctl:1', 2)); print('---'); print(d.XMLDesc(2))
            """
        let output = try await Tool("/usr/bin/python3", ["-c", script, path, text]).run().text
        let parts = output.components(separatedBy: "---\n")
        try #require(parts.count == 2)
        #expect(Mark(metadata: parts[0]) == described.mark)
        let domain = try DomainXML(parsing: parts[1])
        #expect(Mark(in: domain) == described.mark)
        #expect(parts[1].contains("<vctl:object xmlns:vctl=\"urn:vctl:1\""))
    }

    @Test func writingKeepsOthersMetadata() throws {
        let foreign = "<o:x xmlns:o='urn:other' a='1'><o:y/></o:x>"
        var domain = try DomainXML(
            parsing: "<domain type='test'><name>n</name><metadata>\(foreign)</metadata></domain>")
        described.mark.write(into: &domain)
        #expect(Mark(in: domain) == described.mark && domain.xml.contains(foreign))
        var changed = described.mark
        changed.labels = [:]
        changed.write(into: &domain)
        #expect(Mark(in: domain) == changed && domain.xml.components(separatedBy: "urn:vctl:1").count == 2)
        Mark.remove(from: &domain)
        #expect(Mark(in: domain) == nil && domain.xml.contains(foreign))
    }

    @Test func ownershipIsByInstanceAndId() {
        let mark = Mark(instance: PlanSamples.instance, id: PlanSamples.id)
        #expect(Ownership(mark, instance: PlanSamples.instance, id: PlanSamples.id) == .ours(mark))
        #expect(Ownership(mark, instance: ObjectID(), id: PlanSamples.id) == .another(mark))
        // virt-clone copies metadata: the copy is not what we made.
        #expect(Ownership(mark, instance: PlanSamples.instance, id: ObjectID()) == .copy(mark))
        #expect(Ownership(nil, instance: PlanSamples.instance, id: PlanSamples.id) == .none)
    }

    @Test(arguments: [
        "<object/>", "<object instance='x' id='y'/>", "<other/>", "no xml", "",
        "<object instance='11111111-2222-4333-8444-555555555555'/>",
    ])
    func brokenMarksAreNone(_ text: String) { #expect(Mark(metadata: text) == nil) }

    @Test func newerMarksAreRead() throws {
        let text = """
            <object instance='\(PlanSamples.instance)' id='\(PlanSamples.id)' new='1'><future><x/></future>
            <label name='a'/><label value='nameless'/><disk role='root'/><image id='bad' name='n'/>
            <created at='bad'/></object>
            """
        let mark = try #require(Mark(metadata: text))
        #expect(mark.labels == ["a": ""] && mark.disks.isEmpty && mark.image == nil && mark.createdAt == nil)
    }
}
