// SPDX-License-Identifier: Apache-2.0
import Testing
import VirtXML

@Suite struct HostileInputTests {
    private func fault(_ text: String, limits: XMLLimits = XMLLimits()) -> XMLSyntaxError? {
        do {
            _ = try Document(parsing: text, limits: limits)
            return nil
        } catch { return error }
    }

    @Test(arguments: [
        "", " ", "no xml", "<", "<a", "<a>", "<a></b>", "<a/><b/>", "<a>&undefined;</a>", "<a b=1/>",
        "<a b='1' b='2'/>",
        "<a b='<'/>", "<a>]]></a>", "<!-- -- --><a/>", "<a><!-- --- --></a>", "<a>&#0;</a>",
        "<a>&#xD800;</a>",
        "<a>\u{1}</a>", "<a>\0</a>", "<a/>\0<b/>", "<a b='\0'/>", "<a>\u{FFFF}</a>", "<a><![CDATA[</a>",
        "<?xml?><a/>",
        "<a/><?xml version='1.0'?>", "<a/>text", "<1/>", "<x:a/>", "<a x:b='1'/>", "<a xmlns:x=''/>",
        "<a>&lt</a>",
    ])
    func malformed(_ text: String) {
        #expect(fault(text)?.kind == .malformed)
        #expect(fault(text)?.message.isEmpty == false)
    }

    @Test func thePlaceIsNamed() {
        let found = fault("<domain>\n  <name>x</nam>\n</domain>")
        #expect(found?.line == 2)
        #expect((found?.column ?? 0) > 10)
        #expect(fault("<a>\n<b>\0</b></a>").map { [$0.line, $0.column] } == [2, 4])
    }

    @Test func documentTypes() {
        let bomb = """
            <?xml version='1.0'?>
            <!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
            <!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>
            <domain>&d;</domain>
            """
        #expect(fault(bomb)?.kind == .doctype)
        #expect(fault(bomb)?.line == 2)
        #expect(fault("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>")?.kind == .doctype)
        #expect(fault("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>")?.kind == .doctype)
        #expect(fault("<!DOCTYPE a PUBLIC 'p' 'http://127.0.0.1/x.dtd'><a/>")?.kind == .doctype)
        #expect(fault("<!DOCTYPE a><a/>")?.kind == .doctype)
    }

    @Test func nesting() {
        func nested(_ depth: Int) -> String {
            String(repeating: "<a>", count: depth) + String(repeating: "</a>", count: depth)
        }
        #expect(fault(nested(256)) == nil)
        #expect(fault(nested(257))?.kind == .tooDeep)
        #expect(fault(nested(500_000))?.kind == .tooDeep)
        #expect(fault(String(repeating: "<a>", count: 500_000))?.kind == .tooDeep)
        #expect(fault(nested(6), limits: XMLLimits(depth: 5))?.kind == .tooDeep)
        #expect(fault(nested(1000), limits: XMLLimits(depth: 5000))?.kind == .tooDeep)
    }

    @Test func sizes() {
        #expect(fault("<a>12345</a>", limits: XMLLimits(bytes: 11))?.kind == .tooLarge)
        #expect(fault("<a>12345</a>", limits: XMLLimits(bytes: 12)) == nil)
        let huge = String(repeating: "x", count: 11 << 20)
        #expect(fault("<a b='\(huge)'/>")?.kind == .tooLarge)
        #expect(fault("<a b='\(huge)'/>", limits: XMLLimits(bytes: 100 << 20)) != nil)
        let large = String(repeating: "x", count: 1 << 20)
        #expect(fault("<a b='\(large)'/>") == nil)
    }

    @Test func bytesThatAreNoText() {
        let broken: [UInt8] = [0x3C, 0x61, 0x3E, 0xFF, 0xFE, 0x3C, 0x2F, 0x61, 0x3E]
        #expect(throws: XMLSyntaxError.self) { try Document(parsing: broken) }
        let utf16: [UInt8] = [0xFF, 0xFE, 0x3C, 0, 0x61, 0, 0x2F, 0, 0x3E, 0]
        #expect(throws: XMLSyntaxError.self) { try Document(parsing: utf16) }
        #expect(throws: XMLSyntaxError.self) { try Document(parsing: [UInt8]()) }
    }

    @Test func aDeclaredEncodingIsNoTrap() throws {
        let document = try Document(parsing: "<?xml version='1.0' encoding='ISO-8859-1'?><a>é</a>")
        #expect(document.root.text == "é")
    }

    @Test func anotherKindOfDocument() {
        #expect(throws: XMLSyntaxError.self) { try DomainXML(parsing: "<network/>") }
        do { _ = try DomainXML(parsing: "<network/>") } catch {
            #expect(error.kind == .wrongRoot(expected: "domain", found: "network"))
        }
    }

    @Test func everyPrefixOfARealDocumentIsRefused() throws {
        let text = try Fixture.text("odd-handwritten.xml")
        let end = try #require(text.firstRange(of: "</domain>")).upperBound
        var index = text.startIndex
        while index < text.index(before: end) {
            #expect(fault(String(text[..<index])) != nil)
            index = text.index(after: index)
        }
    }
}
