// SPDX-License-Identifier: Apache-2.0
import Testing
import VirtXML

@Suite struct MetadataTests {
    private let ours = "urn:vctl:1"

    @Test func ourElementIsFoundByNamespaceNotByPrefix() throws {
        let domain = try Fixture.domain("domain-q35.xml")
        #expect(domain.metadata(namespace: ours)?[attribute: "instance"]?.hasPrefix("0c1f") == true)
        #expect(domain.metadata(namespace: "urn:none") == nil)
        let renamed = try DomainXML(
            parsing: "<domain xmlns:q='urn:vctl:1'><metadata><q:object id='1'/></metadata></domain>")
        #expect(renamed.metadata(namespace: ours)?[attribute: "id"] == "1")
        let other = try DomainXML(
            parsing: "<domain><metadata><vctl:object xmlns:vctl='urn:x'/></metadata></domain>")
        #expect(other.metadata(namespace: ours) == nil)
        let plain = try DomainXML(
            parsing: "<domain><metadata><object xmlns='urn:vctl:1'/></metadata></domain>")
        #expect(plain.metadata(namespace: ours)?.name == "object")
    }

    @Test func othersStayUntouched() throws {
        let text = try Fixture.text("domain-q35.xml")
        var domain = try DomainXML(parsing: text)
        domain.setMetadata(Element("object", ["id": "2"]), namespace: ours, prefix: "vctl")
        let lines = changedLines(text, domain.xml)
        #expect(lines.filter { $0.hasPrefix("+") } == ["+    <vctl:object xmlns:vctl='urn:vctl:1' id='2'/>"])
        #expect(lines.count == 4)
        #expect(domain.metadata(namespace: "http://libosinfo.org/xmlns/libvirt/domain/1.0") != nil)
        domain.setMetadata(nil, namespace: ours, prefix: "vctl")
        #expect(domain.metadata(namespace: ours) == nil)
        #expect(domain.element[child: "metadata"]?.elements.count == 1)
    }

    @Test func madeAndRemovedWithoutATrace() throws {
        let text = try Fixture.text("network-nat.xml")
        var network = try NetworkXML(parsing: text)
        let object = Element("object", ["id": "1"], children: [Element("vctl:label", text: "a<b")])
        network.setMetadata(object, namespace: ours, prefix: "vctl")
        #expect(
            changedLines(text, network.xml) == [
                "+  <metadata>", "+    <vctl:object xmlns:vctl='urn:vctl:1' id='1'>",
                "+      <vctl:label>a&lt;b</vctl:label>", "+    </vctl:object>", "+  </metadata>",
            ])
        network.setMetadata(nil, namespace: ours, prefix: "vctl")
        #expect(network.xml == text)
    }
}
