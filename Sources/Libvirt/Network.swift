// SPDX-License-Identifier: Apache-2.0
import CLibvirt
import FoundationEssentials

/// A virtual network.
public final class Network: Handle, @unchecked Sendable {
    // SAFETY: a virNetworkPtr may be used from any thread, and counts its references atomically.
    let raw: OpaquePointer
    /// The connection it belongs to.
    public let connection: Connection
    /// Its UUID; never changes.
    public let uuid: UUID

    init(taking raw: OpaquePointer, of connection: Connection) {
        self.raw = raw
        self.connection = connection
        uuid = UUID { virNetworkGetUUID(raw, $0) }
    }

    deinit {
        virNetworkFree(raw)
    }

    /// Its name.
    public var name: String {
        virNetworkGetName(raw).map { String(cString: $0) } ?? ""
    }

    /// Its XML: what is active, or with `inactive` the saved definition.
    /// - Throws: `LibvirtError`.
    public func xml(inactive: Bool = false) async throws -> String {
        try await call { _ in try self.readXML(inactive: inactive) }
    }

    func readXML(inactive: Bool) throws -> String {
        let flags = inactive ? VIR_NETWORK_XML_INACTIVE.rawValue : 0
        // The test driver has one definition only, and no such flag.
        return try skipping(.invalidArgument) { try takeString(virNetworkGetXMLDesc(raw, flags)) }
            ?? takeString(virNetworkGetXMLDesc(raw, 0))
    }

    /// Starts it.
    /// - Throws: `LibvirtError`, `operationInvalid` if it is active.
    public func start() async throws {
        try await call { _ = try check(virNetworkCreate($0)) }
    }

    /// Stops it.
    /// - Throws: `LibvirtError`, `operationInvalid` if it is not active.
    public func destroy() async throws {
        try await call { _ = try check(virNetworkDestroy($0)) }
    }

    /// Removes its saved definition.
    /// - Throws: `LibvirtError`.
    public func undefine() async throws {
        try await call { _ = try check(virNetworkUndefine($0)) }
    }

    /// Whether it is active.
    /// - Throws: `LibvirtError`.
    public func isActive() async throws -> Bool {
        try await call { try checkFlag(virNetworkIsActive($0)) }
    }

    /// Whether it has a saved definition.
    /// - Throws: `LibvirtError`.
    public func isPersistent() async throws -> Bool {
        try await call { try checkFlag(virNetworkIsPersistent($0)) }
    }

    /// Whether it starts with the host.
    /// - Throws: `LibvirtError`.
    public func autostart() async throws -> Bool {
        try await call { raw in
            var value: Int32 = 0
            try check(virNetworkGetAutostart(raw, &value))
            return value != 0
        }
    }

    /// Sets whether it starts with the host.
    /// - Throws: `LibvirtError`.
    public func setAutostart(_ on: Bool) async throws {
        try await call { _ = try check(virNetworkSetAutostart($0, on ? 1 : 0)) }
    }

    /// The name of its bridge.
    /// - Throws: `LibvirtError`.
    public func bridgeName() async throws -> String {
        try await call { try takeString(virNetworkGetBridgeName($0)) }
    }
}

extension Connection {
    /// Every network.
    /// - Throws: `LibvirtError`.
    public func networks() async throws -> [Network] {
        try await call { _ in try self.listNetworks() }
    }

    func listNetworks(_ filter: UInt32 = 0) throws -> [Network] {
        try takeHandles { virConnectListAllNetworks(raw, $0, filter) }
            .map { Network(taking: $0, of: self) }
    }

    /// The network with a UUID.
    /// - Throws: `LibvirtError`, `noNetwork` if there is none.
    public func network(uuid: UUID) async throws -> Network {
        try await call { raw in
            try Network(taking: checkHandle(uuid.withBytes { virNetworkLookupByUUID(raw, $0) }), of: self)
        }
    }

    /// The network with a name.
    /// - Throws: `LibvirtError`, `noNetwork` if there is none.
    public func network(name: String) async throws -> Network {
        try await call { try Network(taking: checkHandle(virNetworkLookupByName($0, name)), of: self) }
    }

    /// Saves a definition; replaces the one with the same UUID.
    /// - Parameter validate: check it against libvirt's schema first.
    /// - Throws: `LibvirtError`.
    public func define(network xml: String, validate: Bool = true) async throws -> Network {
        let flags = validate ? VIR_NETWORK_DEFINE_VALIDATE.rawValue : 0
        return try await call {
            try Network(taking: checkHandle(virNetworkDefineXMLFlags($0, xml, flags)), of: self)
        }
    }

    /// Starts a transient network.
    /// - Throws: `LibvirtError`.
    public func create(network xml: String) async throws -> Network {
        try await call { try Network(taking: checkHandle(virNetworkCreateXML($0, xml)), of: self) }
    }
}
