// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import VctlAPI

// Foundation and the Libvirt module have types of these names too; in this module the words mean the API's.
typealias ObjectReference = VctlAPI.ObjectReference
/// A network as the API shows it, not libvirt's handle.
public typealias Network = VctlAPI.Network
/// libvirt's handle of a network.
typealias LibvirtNetwork = Libvirt.Network
/// Work that outlives the daemon, not Foundation's.
public typealias Operation = VctlAPI.Operation
/// The host as the API shows it, not Foundation's.
public typealias Host = VctlAPI.Host

/// The connection to libvirt, as the rest of the house uses it.
final class Hypervisor: LibvirtLink {
    let managed: ManagedConnection
    let uri: String

    init(uri: String) {
        self.uri = uri
        managed = ManagedConnection(.init(uri: uri))
    }

    /// The connection that stands.
    /// - Throws: ``Problem`` `libvirt.unavailable`, at once.
    func connection() throws -> Connection {
        do {
            return try managed.connection()
        } catch {
            throw Problem(
                .libvirtUnavailable, "libvirt at \(uri) cannot be reached: \(shown("\(error)", limit: 300))",
                hint: "systemctl status libvirtd")
        }
    }

    /// One for what may wait for the server of a pool: for questions, or for changes.
    /// - Throws: `LibvirtError`.
    func poolConnection(changes: Bool = false) async throws -> Connection {
        try await managed.spare(changes ? .poolChanges : .pools)
    }

    /// The domain of that id, or `nil`.
    func domain(_ id: ObjectID) async throws -> Domain? {
        do {
            return try await managed.connection().domain(uuid: id.uuid)
        } catch let error as LibvirtError where error.code == .noDomain {
            return nil
        }
    }

    /// The network of that id, or `nil`.
    func network(_ id: ObjectID) async throws -> LibvirtNetwork? {
        do {
            return try await managed.connection().network(uuid: id.uuid)
        } catch let error as LibvirtError where error.code == .noNetwork {
            return nil
        }
    }

    var isConnected: Bool {
        if case .connected = managed.state { true } else { false }
    }

    func isLost(_ error: any Error) -> Bool {
        switch error {
        case let error as LibvirtError:
            error.isOfTransport || !isConnected
        case let problem as Problem: problem.errorCode == .libvirtUnavailable
        default: false
        }
    }

    func waitUntilConnected() async throws { _ = try await managed.waitUntilConnected() }
}

extension ObjectID {
    /// The same as Foundation's type.
    var uuid: UUID { UUID(uuidString: rawValue)! }

    /// From Foundation's type.
    init(_ uuid: UUID) { self = ObjectID(uuid.uuidString)! }
}
