// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostNet
import VctlAPI

/// The links that bear this instance's mark in their alias. Whatever has none is somebody else's.
struct MarkedLinks: Sendable {
    let host: any HostLinks
    let instance: ObjectID

    func mark(_ id: ObjectID) -> String { "vctl:\(instance):\(id)" }

    /// A link is made under this name, which nobody else gives, and gets its own once it bears the mark: so
    /// what a daemon left that died in between is known to be ours.
    private func mintedName(_ id: ObjectID) -> String { "vt-\(id.short)" }

    /// The link of that id, under whatever name.
    func find(_ id: ObjectID) async throws -> Link? {
        let mark = mark(id)
        return try await host.all().first { $0.alias == mark }
    }

    /// The link of that id and name; made where it is missing.
    /// - Parameter make: makes one under a name.
    /// - Throws: ``Problem`` `link.exists` where the name is another link's.
    func ensure(
        _ id: ObjectID, _ name: LinkName, _ make: (String) async throws -> Void
    ) async throws -> Link {
        var link = try await find(id)
        if link == nil { link = try await made(id, make) }
        guard let link else {
            throw Problem(.linkFailed, "link \(name) was removed while it was made", hint: "try it again")
        }
        guard link.name != name.rawValue else { return link }
        var change = LinkChange()
        change.name = name.rawValue
        do {
            try await host.change(link.index, change)
        } catch let error as HostNetError where error.errno == EEXIST {
            throw LinkRules.taken(name)
        }
        return try await find(id) ?? link
    }

    private func made(_ id: ObjectID, _ make: (String) async throws -> Void) async throws -> Link? {
        let minted = mintedName(id)
        func find() async throws -> Link? { try await host.all().first { $0.name == minted } }
        if let rest = try await find() { try await host.delete(rest.index) }
        try await make(minted)
        guard let link = try await find() else { return nil }
        var change = LinkChange()
        change.alias = mark(id)
        try await host.change(link.index, change)
        return try await self.find(id)
    }

    /// Removes the link of that id, and what was begun of it; that it is gone already is as good.
    func remove(_ id: ObjectID) async throws {
        let (mark, minted) = (mark(id), mintedName(id))
        for link in try await host.all() where link.alias == mark || link.name == minted {
            do {
                try await host.delete(link.index)
            } catch let error as HostNetError where error.errno == ENODEV {
                continue
            }
        }
    }
}

/// The rules for links.
enum LinkRules {
    static func taken(_ name: LinkName) -> Problem {
        Problem(
            .linkExists, "there is a link \(name) on the host already",
            hint: "ip -d link show \(name); choose another name")
    }

    /// - Throws: ``Problem`` `bridge.notFound` where the host has no bridge of that name.
    static func bridge(_ name: LinkName, among links: [Link]) throws -> Link {
        guard let bridge = links.first(where: { $0.name == name.rawValue && $0.kind == .bridge }) else {
            throw Problem(
                .bridgeNotFound, "the host has no bridge \(name)", hint: "vctl bridge list")
        }
        return bridge
    }
}

extension Problem {
    init(hostNet error: HostNetError) {
        let hint: String? =
            switch error.errno {
            case EPERM, EACCES: "vctld must run as root to change the host's links"
            case ENOENT where error.call.contains("TAP"): "modprobe tun"
            default: nil
            }
        self.init(.linkFailed, "the kernel refused: \(shown("\(error)", limit: 300))", hint: hint)
    }
}
