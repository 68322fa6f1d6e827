// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VirtXML

extension DomainEdit {
    /// Sets what XPath expressions find, each exactly one place.
    /// - Throws: ``Problem`` `request.invalid` where one finds nothing, or several places.
    mutating func apply(_ patches: [XMLPatch]) throws {
        for (index, patch) in patches.enumerated() {
            let field = "xmlPatch[\(index)].xpath"
            let place = try place(patch.xpath, field)
            let before = domain.document[value: place] ?? ""
            guard domain.document.set(patch.value.orNil, at: place) else {
                throw Self.refusal(
                    field, "\(shown(patch.xpath)) is the whole document, which cannot be removed")
            }
            if patch.xpath.hasSuffix("@passwd") {
                note("\(shown(patch.xpath)): another password")
            } else {
                note("\(shown(patch.xpath)): \(shown(before)) → \(shown(patch.value.orNil ?? "removed"))")
            }
        }
    }

    private func place(_ xpath: String, _ field: String) throws -> NodePath {
        let found: [NodePath]
        do {
            found = try domain.document.matches(xpath: xpath)
        } catch {
            throw Self.refusal(
                field, "\(shown(xpath)) is no XPath expression that finds elements or attributes")
        }
        guard let place = found.first else {
            throw Self.refusal(field, "\(shown(xpath)) finds nothing in the definition")
        }
        guard found.count == 1 else {
            throw Self.refusal(field, "\(shown(xpath)) finds \(found.count) places; say which, as with [1]")
        }
        return place
    }

    /// Puts another definition in the place of this one, of the same VM: its id, its name and our mark stay.
    mutating func replace(with text: String) throws {
        var new: DomainXML
        do {
            new = try DomainXML(parsing: text)
        } catch {
            throw Self.refusal("xml", shown("\(error)", limit: 300))
        }
        new.uuid = new.uuid ?? domain.uuid
        if Mark(in: new) == nil { Mark(in: domain)?.write(into: &new) }
        keepPasswords(in: &new)
        guard new != domain else { return }
        domain = new
        note("replace the definition")
    }

    /// A definition is printed without passwords, and what was printed is what is given back.
    private func keepPasswords(in new: inout DomainXML) {
        for index in new.graphics.indices where new.graphics[index].password == nil {
            let type = new.graphics[index].type
            new.graphics[index].password = domain.graphics.first { $0.type == type }?.password
        }
    }

    /// - Throws: ``Problem`` `request.invalid` where a change by hand touched what makes this VM this VM.
    func checkIdentity(against before: DomainXML) throws {
        let facts: [(String, (DomainXML) -> String?, String)] = [
            ("the UUID", { $0.uuid?.lowercased() }, "a VM with another one is another VM: vctl vm clone"),
            ("the name", { $0.name }, "vctl vm rename"),
            ("vctl's own metadata", { Mark(in: $0)?.metadataText }, "vctl vm set, vctl vm release"),
        ]
        for (what, value, hint) in facts where value(before) != value(domain) {
            throw Problem(.requestInvalid, "\(what) cannot be changed in the XML", hint: hint)
        }
    }
}
