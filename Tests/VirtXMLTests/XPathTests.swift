// SPDX-License-Identifier: Apache-2.0
import Testing
import VirtXML

@Suite struct XPathTests {
    private func document(_ name: String = "domain-q35.xml") throws -> Document {
        try Document(parsing: Fixture.text(name))
    }

    @Test func placesAndTheirValues() throws {
        let document = try document()
        let found = try document.matches(xpath: "//disk[@device='cdrom']/target/@dev")
        #expect(found.map { document[value: $0] } == ["sdb"])
        #expect(found.first?.target == .attribute("dev"))
        #expect(try document.matches(xpath: "/domain/name").map { document[value: $0] } == ["web1"])
        #expect(try document.matches(xpath: "./name").map { document[value: $0] } == ["web1"])
        #expect(try document.matches(xpath: "/domain/name/text()").first?.target == .text)
        #expect(try document.matches(xpath: "//controller").count == 5)
        #expect(try document.matches(xpath: "//nothing").isEmpty)
        #expect(try document.matches(xpath: "/domain").map(\.elements) == [[]])
        #expect(try document.matches(xpath: "//interface | //disk").map(\.elements.count) == [2, 2, 2])
    }

    @Test func edits() throws {
        var document = try document()
        let before = document.serialized()
        let place = try #require(try document.matches(xpath: "//disk[1]/driver/@cache").first)
        var done = [document.set("writeback", at: place)]
        let vcpu = try #require(try document.matches(xpath: "/domain/vcpu").first)
        done.append(document.set("9", at: vcpu))
        let apic = try #require(try document.matches(xpath: "//apic").first)
        done.append(document.set(nil, at: apic))
        let root = try #require(try document.matches(xpath: "/domain").first)
        done.append(document.set(nil, at: root))
        #expect(done == [true, true, true, false])
        let lines = changedLines(before, document.serialized())
        #expect(lines.contains("+  <vcpu placement='static' current='2'>9</vcpu>"))
        #expect(lines.contains("-    <apic/>"))
        #expect(lines.count == 5)
    }

    @Test func namespaces() throws {
        let qemu = try document("domain-qemu-commandline.xml")
        #expect(
            try qemu.matches(xpath: "//qemu:arg/@value").map { qemu[value: $0] } == ["-newarg", "a'b <c>"])
        let domain = try document()
        let found = try domain.matches(xpath: "//v:label/@key", namespaces: ["v": "urn:vctl:1"])
        #expect(found.map { domain[value: $0] } == ["tier"])
        let odd = try document("odd-handwritten.xml")
        #expect(try odd.matches(xpath: "/domain/@other:flag").map { odd[value: $0] } == ["it's"])
    }

    @Test(arguments: ["", "//[", "//disk[", "nofunction()", "//unknown:a", "$variable"])
    func invalid(_ expression: String) throws {
        let document = try document()
        #expect(throws: XPathError.invalid(expression)) { try document.matches(xpath: expression) }
    }

    @Test(arguments: ["count(//disk)", "'text'", "1 = 1"])
    func noNodes(_ expression: String) throws {
        let document = try document()
        #expect(throws: XPathError.notNodes(expression)) { try document.matches(xpath: expression) }
    }

    @Test func workIsBounded() throws {
        let many = Document(root: Element("a", children: (0..<3000).map { Element("b", ["n": String($0)]) }))
        #expect(throws: XPathError.self) { try many.matches(xpath: "//b[count(//b[count(//b) > 1]) > 1]") }
    }
}
