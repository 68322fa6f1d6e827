// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VirtXML

/// A definition that somebody wrote, as that of a new VM: with its name, an id, and our mark.
struct GivenDefinition: Sendable {
    let id: ObjectID
    private(set) var domain: DomainXML
    private let mark: Mark
    private let name: String

    /// - Throws: ``Problem`` `request.invalid` where the text is no definition.
    init(_ create: VMCreate, _ text: String, _ state: StateDirectory, _ caller: Caller) throws {
        do {
            domain = try DomainXML(parsing: text)
        } catch {
            throw Self.refusal(shown("\(error)", limit: 300))
        }
        id = try Self.id(domain)
        name = create.name.rawValue
        mark = Self.mark(create, domain, id, state.instance, caller)
        domain.name = name
        domain.uuid = id.rawValue
        if let description = create.description { domain.description = description }
        if domain.osFirmware == "efi", domain.osNvram == nil {
            domain.osNvram = state.variables(id, .uefi)
        }
        Mark.remove(from: &domain)
        mark.write(into: &domain)
    }

    static func refusal(_ what: String, hint: String? = nil) -> Problem {
        Problem(.requestInvalid, "xml: \(what)", hint: hint, errors: [FieldProblem("xml", what)])
    }

    private static func id(_ domain: DomainXML) throws -> ObjectID {
        guard let text = domain.uuid else { return ObjectID() }
        guard let id = ObjectID(text.lowercased()) else { throw refusal("\(shown(text)) is no UUID") }
        return id
    }

    /// What was printed of a VM of ours says with its mark which of the files are ours.
    private static func mark(
        _ create: VMCreate, _ domain: DomainXML, _ id: ObjectID, _ instance: ObjectID, _ caller: Caller
    ) -> Mark {
        var mark = Mark(instance: instance, id: id)
        mark.isGiven = true
        mark.createdAt = .now
        mark.creator = caller.user ?? "uid \(caller.uid)"
        mark = Ownership(Mark(in: domain), instance: instance, id: id).mark ?? mark
        mark.newName = nil
        mark.labels.merge(create.labels ?? [:]) { $1 }
        mark.protected = create.protected ?? mark.protected
        if create.autostart != nil || create.autostartOrder != nil || create.autostartDelaySeconds != nil {
            mark.start = .init(order: create.autostartOrder, delay: create.autostartDelaySeconds)
        }
        mark.onCrash = create.onCrash ?? mark.onCrash
        return mark
    }

    var macs: [String] { domain.interfaces.compactMap { $0.mac?.lowercased() } }

    /// The row that holds the name until libvirt has the domain.
    var reserved: VM {
        var vm = VM(
            id: id, name: name, state: .stopped, stateReason: .creating, cpus: domain.vcpusMaximum ?? 1,
            memoryBytes: Int64(clamping: domain.memoryBytes ?? 0), labels: mark.labels, managed: true,
            protected: mark.protected, createdAt: mark.createdAt, observedAt: .now)
        vm.description = domain.description
        vm.disks = domain.disks.compactMap(VM.Disk.init)
        vm.nics = domain.interfaces.compactMap(VM.NIC.init)
        return vm
    }
}
