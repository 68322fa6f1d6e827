// SPDX-License-Identifier: Apache-2.0
import CLibxml2

/// One evaluation by libxml2, on a tree of its own that is freed before it returns.
struct XPath {
    private let text: String
    private let expression: String
    private var namespaces: [String: String]

    init(_ document: Document, _ expression: String, _ namespaces: [String: String]) {
        text = document.serialized()
        self.expression = expression
        self.namespaces = [:]
        for attribute in document.root.attributes where attribute.name.hasPrefix("xmlns:") {
            self.namespaces[String(attribute.name.dropFirst(6))] = attribute.value
        }
        self.namespaces.merge(namespaces) { $1 }
    }

    func evaluate() throws(XPathError) -> [NodePath] {
        _ = WellFormedness.ready
        let options = Int32(
            XML_PARSE_NONET.rawValue | XML_PARSE_IGNORE_ENC.rawValue | XML_PARSE_NOERROR.rawValue
                | XML_PARSE_NOWARNING.rawValue)
        let document = text.utf8CString.withUnsafeBufferPointer {
            xmlReadMemory($0.baseAddress, Int32($0.count - 1), nil, nil, options)
        }
        guard let document else { throw .invalid("the document is not well-formed") }
        defer { xmlFreeDoc(document) }
        guard let context = vctl_xpath_context(document) else { throw .invalid("no memory left") }
        defer { xmlXPathFreeContext(context) }
        context.pointee.node = xmlDocGetRootElement(document)
        for (prefix, uri) in namespaces { xmlXPathRegisterNs(context, prefix, uri) }
        guard let found = xmlXPathEval(expression, context) else { throw .invalid(expression) }
        defer { xmlXPathFreeObject(found) }
        guard found.pointee.type == XPATH_NODESET else { throw .notNodes(expression) }
        return paths(found.pointee.nodesetval)
    }

    private func paths(_ set: xmlNodeSetPtr?) -> [NodePath] {
        guard let set, set.pointee.nodeNr > 0 else { return [] }
        xmlXPathNodeSetSort(set)
        var seen: Set<NodePath> = []
        return (0..<Int(set.pointee.nodeNr)).compactMap { index in
            let path = set.pointee.nodeTab[index].flatMap(path)
            return path.flatMap { seen.insert($0).inserted ? $0 : nil }
        }
    }

    private func path(_ node: xmlNodePtr) -> NodePath? {
        switch node.pointee.type {
        case XML_ELEMENT_NODE: NodePath(elements: places(node), target: .element)
        case XML_TEXT_NODE, XML_CDATA_SECTION_NODE:
            node.pointee.parent.map { NodePath(elements: places($0), target: .text) }
        case XML_ATTRIBUTE_NODE:
            node.pointee.parent.map { NodePath(elements: places($0), target: .attribute(name(node))) }
        default: nil
        }
    }

    private func name(_ node: xmlNodePtr) -> String {
        let local = String(cString: node.pointee.name)
        // An attribute is a node only up to `doc`; its namespace stands elsewhere than an element's.
        let namespace = UnsafeMutableRawPointer(node).assumingMemoryBound(to: xmlAttr.self).pointee.ns
        guard let prefix = namespace?.pointee.prefix else { return local }
        return String(cString: prefix) + ":" + local
    }

    private func places(_ node: xmlNodePtr) -> [Int] {
        var places: [Int] = []
        var current = node
        while let parent = current.pointee.parent, parent.pointee.type == XML_ELEMENT_NODE {
            places.append(ordinal(current))
            current = parent
        }
        return places.reversed()
    }

    private func ordinal(_ node: xmlNodePtr) -> Int {
        var count = 0
        var previous = node.pointee.prev
        while let sibling = previous {
            if sibling.pointee.type == XML_ELEMENT_NODE { count += 1 }
            previous = sibling.pointee.prev
        }
        return count
    }
}
