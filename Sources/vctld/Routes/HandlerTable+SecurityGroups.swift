// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import VctlAPI
import VctlCore

extension HandlerTable {
    mutating func addSecurityGroups(_ core: Core) {
        let groups = core.securityGroups
        on("securitygroup.list") { $0.reply(try await groups.list(try $0.query.list())) }
        on("securitygroup.show") { $0.reply(try await groups.show(try $0.reference())) }
        on("securitygroup.create", SecurityGroupCreate.self) { incoming, create in
            let changed = try await groups.create(create, incoming.context)
            var reply = try incoming.reply(changed)
            guard case .group = changed else { return reply }
            reply.status = .created
            reply.headers[.location] = "/v1/securitygroups/\(create.name)"
            return reply
        }
        on("securitygroup.set", SecurityGroupPatch.self) { incoming, patch in
            try incoming.reply(try await groups.set(try incoming.reference(), patch, incoming.context))
        }
        on("securitygroup.delete") { incoming in
            let preview = try await groups.delete(try incoming.reference(), incoming.context)
            return try preview.map { try Reply.json($0) } ?? .nothing
        }
    }
}

extension Incoming {
    fileprivate func reply(_ changed: SecurityGroupService.Changed) throws -> Reply {
        switch changed {
        case .group(let group): reply(group)
        case .preview(let preview): try .json(preview)
        }
    }
}
