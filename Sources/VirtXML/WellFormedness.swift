// SPDX-License-Identifier: Apache-2.0
import CLibxml2

/// libxml2's verdict on a text. Nothing of libxml2's memory outlives a call.
enum WellFormedness {
    /// libxml2's tables are made lazily and without locks: two first parses at once would race.
    static let ready: Void = {
        xmlInitParser()
        xmlSchemaInitTypes()
        xmlRelaxNGInitTypes()
    }()

    static func check(_ text: UnsafeBufferPointer<UInt8>, limits: XMLLimits) throws(XMLSyntaxError) {
        guard text.count <= min(limits.bytes, Int(Int32.max)) else {
            throw tooLarge(text.count, limits)
        }
        guard !text.isEmpty else { throw XMLSyntaxError(.malformed, "the document is empty") }
        try refuseNUL(text)
        _ = ready
        var fault = vctl_xml_fault()
        fault.limit = Int32(limits.depth)
        let sound = text.withMemoryRebound(to: CChar.self) {
            vctl_xml_check($0.baseAddress, Int32($0.count), &fault)
        }
        if sound == 0 { throw error(fault, limits) }
    }

    static func tooLarge(_ count: Int, _ limits: XMLLimits) -> XMLSyntaxError {
        XMLSyntaxError(.tooLarge, "the document has \(count) bytes, more than \(limits.bytes)")
    }

    /// libxml2 takes a NUL for the end of its input and would accept what stands before it.
    private static func refuseNUL(_ text: UnsafeBufferPointer<UInt8>) throws(XMLSyntaxError) {
        guard let base = text.baseAddress, let found = memchr(base, 0, text.count) else { return }
        let before = text[..<(UnsafeRawPointer(found) - UnsafeRawPointer(base))]
        let line = before.count { $0 == Ascii.newline } + 1
        let column = before.count - (before.lastIndex(of: Ascii.newline).map { $0 + 1 } ?? 0) + 1
        throw XMLSyntaxError(.malformed, line: line, column: column, "a NUL character")
    }

    private static func error(_ fault: vctl_xml_fault, _ limits: XMLLimits) -> XMLSyntaxError {
        let (line, column) = (Int(fault.line), Int(fault.column))
        if fault.out_of_memory != 0 { return XMLSyntaxError(.outOfMemory, "libxml2 has no memory left") }
        if fault.doctype != 0 {
            return XMLSyntaxError(
                .doctype, line: line, column: column, "a document type declaration is not accepted")
        }
        if fault.too_deep != 0 {
            return XMLSyntaxError(
                .tooDeep, line: line, column: column, "elements nested deeper than \(limits.depth)")
        }
        return XMLSyntaxError(.malformed, line: line, column: column, words(fault))
    }

    private static func words(_ fault: vctl_xml_fault) -> String {
        var fault = fault
        let text = withUnsafeBytes(of: &fault.message) {
            String(decoding: $0.prefix { $0 != 0 && $0 != Ascii.newline }, as: UTF8.self)
        }
        return text.isEmpty ? "not well-formed" : text
    }
}
