// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VirtXML

extension Mark {
    /// The mark in a domain's or network's metadata; `nil` when there is none, or its ids are no UUIDs.
    init?(in view: some MetadataView) {
        guard let element = view.metadata(namespace: Self.namespace) else { return nil }
        self.init(element: element)
    }

    /// The mark that an XML text of the element alone spells, as `virDomainGetMetadata` gives it.
    init?(metadata text: String) {
        guard let document = try? Document(parsing: text) else { return nil }
        self.init(element: document.root)
    }

    /// The mark that an element spells. Names are compared without their prefix, since libvirt drops it in
    /// some calls; what is unknown is passed over, so that an older daemon reads a newer mark.
    init?(element: Element) {
        guard element.localName == "object",
            let instance = element[attribute: "instance"].flatMap(ObjectID.init),
            let id = element[attribute: "id"].flatMap(ObjectID.init)
        else { return nil }
        self.init(instance: instance, id: id)
        for child in element.elements { read(child) }
    }

    private mutating func read(_ child: Element) {
        switch child.localName {
        case "created":
            createdAt = child[attribute: "at"].flatMap { try? Timestamp(checking: $0) }
            creator = child[attribute: "by"]
        case "adopted":
            adoptedAt = child[attribute: "at"].flatMap { try? Timestamp(checking: $0) }
            adopter = child[attribute: "by"]
        case "image": image = ImageReference(element: child)
        case "label":
            if let key = child[attribute: "name"] { labels[key] = child[attribute: "value"] ?? "" }
        case "protected": protected = true
        case "given": isGiven = true
        case "autostart":
            start = StartRule(
                order: child[attribute: "order"].flatMap { Int($0) },
                delay: child[attribute: "delay"].flatMap { Int($0) })
        case "crash": onCrash = child[attribute: "action"].flatMap(CrashAction.init(rawValue:))
        case "profile": profile = child[attribute: "name"]
        case "rename": newName = child[attribute: "to"]
        case "network": network = NetworkPart(element: child)
        case "nic": if let nic = NIC(element: child) { nics.append(nic) }
        case "disk": if let disk = Disk(element: child) { disks.append(disk) }
        default: break
        }
    }

    /// The element without prefixes, as `virDomainSetMetadata` wants it: libvirt adds them to all of it.
    var element: Element {
        var children: [Element] = []
        if createdAt != nil || creator != nil { children.append(Self.done("created", createdAt, creator)) }
        if adoptedAt != nil || adopter != nil { children.append(Self.done("adopted", adoptedAt, adopter)) }
        if let image { children.append(image.element) }
        if protected { children.append(Element("protected")) }
        if isGiven { children.append(Element("given")) }
        if let start { children.append(start.element) }
        if let onCrash { children.append(Element("crash", ["action": onCrash.rawValue])) }
        if let profile { children.append(Element("profile", ["name": profile])) }
        if let newName { children.append(Element("rename", ["to": newName])) }
        if let network { children.append(network.element) }
        children += labels.sorted { $0.key < $1.key }
            .map { Element("label", ["name": $0.key, "value": $0.value]) }
        children += disks.map(\.element) + nics.map(\.element)
        return Element("object", ["instance": instance.rawValue, "id": id.rawValue], children: children)
    }

    private static func done(_ name: String, _ time: Timestamp?, _ by: String?) -> Element {
        var element = Element(name)
        element[attribute: "at"] = time?.description
        element[attribute: "by"] = by
        return element
    }

    /// The text for `virDomainSetMetadata` with ``namespace`` and ``prefix``.
    var metadataText: String { Document(root: element).serialized() }

    /// Puts the mark into a definition, in the place of the one that is there.
    func write(into view: inout some MetadataView) {
        view.setMetadata(element.prefixed(Self.prefix), namespace: Self.namespace, prefix: Self.prefix)
    }

    /// Takes the mark out of a definition.
    static func remove(from view: inout some MetadataView) {
        view.setMetadata(nil, namespace: namespace, prefix: prefix)
    }
}

extension Element {
    fileprivate func prefixed(_ prefix: String) -> Element {
        var copy = self
        copy.name = prefix + ":" + name
        copy.children = children.map { node in
            if case .element(let child) = node { .element(child.prefixed(prefix)) } else { node }
        }
        return copy
    }
}

extension ImageReference {
    fileprivate init?(element: Element) {
        guard let id = element[attribute: "id"].flatMap(ObjectID.init), let name = element[attribute: "name"]
        else { return nil }
        self.init(id: id, name: name, linked: element[attribute: "linked"] == "yes")
    }

    fileprivate var element: Element {
        Element("image", ["id": id.rawValue, "name": name, "linked": linked ? "yes" : "no"])
    }
}

extension Mark.NetworkPart {
    fileprivate init?(element: Element) {
        guard let model = element[attribute: "model"].flatMap(NetworkModel.init(rawValue:)) else {
            return nil
        }
        self.init(model: model, hostAccess: element[attribute: "hostAccess"] == "yes")
    }

    fileprivate var element: Element {
        Element("network", ["model": model.rawValue, "hostAccess": hostAccess ? "yes" : "no"])
    }
}

extension Mark.StartRule {
    fileprivate var element: Element {
        var element = Element("autostart")
        element[attribute: "order"] = order.map { "\($0)" }
        element[attribute: "delay"] = delay.map { "\($0)" }
        return element
    }
}

extension Mark.NIC {
    fileprivate init?(element: Element) {
        guard let mac = element[attribute: "mac"] else { return nil }
        self.init(mac: mac.lowercased())
        antiSpoofing = element[attribute: "anti-spoofing"] == "yes"
        addresses = element.elements.compactMap { $0[attribute: "address"] }
        groups = element.elements.compactMap { $0[attribute: "group"] }
    }

    fileprivate var element: Element {
        let list =
            addresses.map { Element("ip", ["address": $0]) } + groups.map { Element("sg", ["group": $0]) }
        return Element(
            "nic", ["mac": mac, "anti-spoofing": antiSpoofing ? "yes" : "no"], children: list)
    }
}

extension Mark.Disk {
    fileprivate init?(element: Element) {
        guard let target = element[attribute: "target"], let role = element[attribute: "role"] else {
            return nil
        }
        let volume = element[attribute: "volume"].flatMap { ObjectID($0) }
        self.init(target: target, role: role, volume: volume)
    }

    fileprivate var element: Element {
        var element = Element("disk", ["target": target, "role": role])
        element[attribute: "volume"] = volume?.rawValue
        return element
    }
}
