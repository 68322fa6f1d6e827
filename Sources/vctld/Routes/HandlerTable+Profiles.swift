// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import VctlAPI
import VctlCore

extension HandlerTable {
    mutating func addProfiles(_ core: Core) {
        let profiles = core.profiles
        on("profile.list") { $0.reply(try await profiles.list(try $0.query.list())) }
        on("profile.show") { $0.reply(try await profiles.show(try $0.reference())) }
        on("profile.create", ProfileCreate.self) { incoming, create in
            let changed = try await profiles.create(create, incoming.context)
            var reply = try incoming.reply(changed)
            guard case .profile = changed else { return reply }
            reply.status = .created
            reply.headers[.location] = "/v1/profiles/\(create.name)"
            return reply
        }
        on("profile.set", ProfilePatch.self) { incoming, patch in
            try incoming.reply(try await profiles.set(try incoming.reference(), patch, incoming.context))
        }
        on("profile.delete") { incoming in
            let preview = try await profiles.delete(try incoming.reference(), incoming.context)
            return try preview.map { try Reply.json($0) } ?? .nothing
        }
    }
}

extension Incoming {
    fileprivate func reply(_ changed: ProfileService.Changed) throws -> Reply {
        switch changed {
        case .profile(let profile): reply(profile)
        case .preview(let preview): try .json(preview)
        }
    }
}
