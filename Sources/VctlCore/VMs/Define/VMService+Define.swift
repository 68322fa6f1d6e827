// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI
import VirtXML

extension VMService {
    /// Accepts a new VM by a definition that somebody wrote.
    /// - Throws: ``Problem``: what is wrong with the request, or with the host for it.
    func define(_ create: VMCreate, _ xml: Secret, _ context: RequestContext) async throws -> Accepted {
        guard context.caller.role == .admin else {
            throw Problem(.permissionDenied, "xml: only an admin may write libvirt's XML")
        }
        let given = try GivenDefinition(create, xml.reveal(), environment.state, context.caller)
        try await refuseKnown(given.id)
        let files: Set<String>
        do {
            let written = WrittenFiles(environment: environment)
            files = try await written.of(given.domain)
            try await written.refuseUsed(files)
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
        let reference = ObjectReference(kind: .vm, id: given.id, name: create.name.rawValue)
        let isOrdered = create.autostartOrder != nil || create.autostartDelaySeconds != nil
        var request = VMDefineOperation.Request(
            vm: reference, definition: "", start: create.start ?? true,
            autostart: create.autostart == true && !isOrdered)
        guard !context.dryRun else {
            try await inventory.read { db in try MACStore.refuse(given.macs, try MACStore.taken(db)) }
            let changes = ["define domain \"\(reference.name)\""] + (request.start ? ["start it"] : [])
            return .preview(Preview(action: "vm.create", target: reference.name, changes: changes))
        }
        request.definition = try DefinitionFiles(environment.state).keep(given.domain.xml, for: given.id)
        return try await accept(given, files, request, create.name, context)
    }

    private func accept(
        _ given: GivenDefinition, _ files: Set<String>, _ request: VMDefineOperation.Request, _ name: Name,
        _ context: RequestContext
    ) async throws -> Accepted {
        do {
            let new = try NewOperation(
                VMDefineOperation.self, request, resources: [request.vm],
                claims: Claim.whole(given.id) + Claim.named(files) + Claim.named(given.macs),
                requestor: context.caller.requestor)
            return try await acceptance.accept(new, context, target: name.rawValue) { transaction in
                guard try VMStore.find(transaction.db, .id(given.id)) == nil else {
                    throw Self.knownID(given.id, name.rawValue)
                }
                try MACStore.refuse(given.macs, try MACStore.taken(transaction.db))
                for path in files { try DiskUsers.refuse(path, transaction.db) }
                try transaction.store(given.reserved)
            }
        } catch {
            try? DefinitionFiles(environment.state).remove(request.definition)
            throw try await explain(error, name)
        }
    }

    /// The UUID may be in the XML, and then it must be nobody's.
    private func refuseKnown(_ id: ObjectID) async throws {
        if let row = try await inventory.read({ try VMStore.find($0, .id(id)) }) {
            throw Self.knownID(id, row.name)
        }
        _ = try environment.hypervisor.connection()
        if let domain = try await environment.hypervisor.domain(id) { throw Self.knownID(id, domain.name) }
    }

    private static func knownID(_ id: ObjectID, _ name: String) -> Problem {
        Problem(
            .vmExists, "the UUID \(id) in the XML is that of VM \(shown(name))",
            hint: "take <uuid> out of the XML, and the new VM gets one of its own")
    }
}

extension MACStore {
    fileprivate static func refuse(_ macs: [String], _ taken: [String: String]) throws {
        for mac in macs {
            if let owner = taken[mac] { throw problem(mac, owner, field: "xml") }
        }
    }
}
