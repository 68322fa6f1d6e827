// SPDX-License-Identifier: Apache-2.0
import Testing
import VirtXML

@Suite struct RoundTripTests {
    @Test func thereAreFixtures() { #expect(Fixture.all.count >= 40) }

    @Test(arguments: Fixture.all) func bytesSurvive(_ name: String) throws {
        let text = try Fixture.text(name)
        let document = try Document(parsing: text)
        #expect(document.serialized() == unspaced(text))
        #expect(try Document(parsing: document.serialized()) == document)
    }

    /// Blanks inside an end tag are the one thing that is not kept.
    private func unspaced(_ text: String) -> String { text.replacing("</name >", with: "</name>") }

    @Test(arguments: Fixture.all) func anEditAndItsUndoLeaveNoTrace(_ name: String) throws {
        var document = try Document(parsing: Fixture.text(name))
        let before = document.serialized()
        document.root.insert(Element("vctl-added", children: [Element("inner", text: "x")]))
        #expect(document.serialized() != before)
        document.root[child: "vctl-added"] = nil
        #expect(document.serialized() == before)
    }

    @Test func whatAValueMeans() throws {
        let document = try Document(parsing: Fixture.text("odd-entities.xml"))
        #expect(document.root[text: "name"] == "a&b<c>d\"e'fA😀")
        let texts = document.root.all("dns/txt")
        #expect(texts[0][attribute: "value"] == "tab\tnewline\nend\rquote\"apos'")
        #expect(texts[1][attribute: "value"] == "raw > and \"quotes\" — ünïcödé 漢字")
    }

    @Test func handwrittenText() throws {
        let domain = try Fixture.domain("odd-handwritten.xml")
        #expect(domain.name == "tabed")
        #expect(domain.description == "a < b && c then text — and  more")
        #expect(domain.metadata(namespace: "urn:other:2")?[attribute: "deep"] == "yes")
        #expect(domain.osBootDevices == ["hd"])
        #expect(domain.memoryBytes == 256 << 20)
    }

    @Test func lineEndsAreNormalisedInValuesOnly() throws {
        let text = "<a b='x\r\ny\tz'>one\r\ntwo\rthree</a>"
        let document = try Document(parsing: text)
        #expect(document.root.text == "one\ntwo\nthree")
        #expect(document.root[attribute: "b"] == "x y z")
        #expect(document.serialized() == text)
    }

    @Test func equalityIsOfMeaning() throws {
        let one = try Document(parsing: "<a b='1' c=\"&#65;\"><d/></a>")
        #expect(try Document(parsing: "<a  b=\"1\" c='A' ><d></d></a>\n") == one)
        #expect(try Document(parsing: "<a c='A' b='1'><d/></a>") != one)
        #expect(try Document(parsing: "<a b='1' c='A'> <d/></a>") != one)
    }

    @Test func freshDocumentsAreIndented() throws {
        let root = Element("a", ["x": "<'\">"], children: [Element("b", children: [Element("c", text: "&")])])
        let text = "<a x='&lt;&apos;&quot;&gt;'>\n  <b>\n    <c>&amp;</c>\n  </b>\n</a>\n"
        #expect(Document(root: root).serialized() == text)
        #expect(try Document(parsing: text) == Document(root: root))
    }
}
