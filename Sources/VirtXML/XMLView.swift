// SPDX-License-Identifier: Apache-2.0

/// A typed look at an element. The element is the only state: each property reads from it and writes into
/// it, so that whatever the view does not know stays as it is.
///
/// A view declares its properties in `Fields`, one line each; they are then properties of the view:
/// `disk.bus = "scsi"`. A property is nil where the element does not say, or says what cannot be read as
/// that type. Setting nil removes the value, and the elements on the way that this leaves bare.
@dynamicMemberLookup
public protocol XMLView: Sendable, Hashable {
    /// The description of the view's properties: a final class, which key paths read without copying it.
    associatedtype Fields: AnyObject, Sendable
    /// The properties.
    static var fields: Fields { get }
    /// The name of a new element of this kind.
    static var elementName: String { get }
    /// The element that is looked at.
    var element: Element { get set }
    /// A view of an element.
    init(element: Element)
}

extension XMLView {
    /// A view of a new, empty element.
    public init() { self.init(element: Element(name: Self.elementName)) }

    /// One value.
    public subscript<Value>(dynamicMember field: KeyPath<Fields, Field<Value>>) -> Value? {
        get { Self.fields[keyPath: field].get(element) }
        set { Self.fields[keyPath: field].set(&element, newValue) }
    }

    /// Whether an element is there.
    public subscript(dynamicMember field: KeyPath<Fields, Flag>) -> Bool {
        get { Self.fields[keyPath: field].get(element) }
        set { Self.fields[keyPath: field].set(&element, newValue) }
    }

    /// A list.
    public subscript<Item>(dynamicMember field: KeyPath<Fields, ListField<Item>>) -> [Item] {
        get { Self.fields[keyPath: field].get(element) }
        set { Self.fields[keyPath: field].set(&element, newValue) }
    }
}

/// A view of a whole document.
public protocol DocumentView: XMLView {
    /// The document, with what stands round its root.
    var document: Document { get set }
    /// A view of a document, whatever its root is.
    init(document: Document)
}

extension DocumentView {
    /// A view of the root.
    public var element: Element {
        get { document.root }
        set { document.root = newValue }
        _modify { yield &document.root }
    }

    /// A view of a new document round an element.
    public init(element: Element) { self.init(document: Document(root: element)) }

    /// Parses a text whose root must be `elementName`.
    public init(parsing text: String, limits: XMLLimits = XMLLimits()) throws(XMLSyntaxError) {
        let document = try Document(parsing: text, limits: limits)
        guard document.root.name == Self.elementName else {
            let found = document.root.name
            throw XMLSyntaxError(
                .wrongRoot(expected: Self.elementName, found: found),
                "expected a <\(Self.elementName)> element, found <\(found)>")
        }
        self.init(document: document)
    }

    /// The text of the document.
    public var xml: String { document.serialized() }
}
