// SPDX-License-Identifier: Apache-2.0
import CLibvirt
import FoundationEssentials

/// All that a mirror of libvirt's networks or storage pools needs to know about one.
public struct ObjectRecord: Sendable, Hashable {
    /// The UUID.
    public let uuid: UUID
    /// The name.
    public let name: String
    /// Whether it is active.
    public let isActive: Bool
    /// Whether it has a saved definition.
    public let isPersistent: Bool
    /// Whether it starts with the host.
    public let autostart: Bool
    /// The XML of what is active, or of the definition if it is not.
    public let xml: String
    /// The XML of the saved definition, if it has one.
    public let inactiveXML: String?
}

extension Connection {
    /// Every network's record, in one hop to the executor. What vanishes meanwhile is left out.
    /// - Throws: `LibvirtError`.
    public func networkRecords() async throws -> [ObjectRecord] {
        try await call { _ in
            try self.listNetworks().compactMap { network in
                try skipping(.noNetwork) { try network.readRecord() }
            }
        }
    }

    /// Every storage pool's record, in one hop to the executor. What vanishes meanwhile is left out.
    /// - Throws: `LibvirtError`.
    public func storagePoolRecords() async throws -> [ObjectRecord] {
        try await call { _ in
            try self.listStoragePools().compactMap { pool in
                try skipping(.noStoragePool) { try pool.readRecord() }
            }
        }
    }
}

extension Network {
    /// Its record, in one hop.
    /// - Throws: `LibvirtError`, `noNetwork` if it is gone.
    public func record() async throws -> ObjectRecord {
        try await call { _ in try self.readRecord() }
    }

    fileprivate func readRecord() throws -> ObjectRecord {
        let persistent = try checkFlag(virNetworkIsPersistent(raw))
        var autostart: Int32 = 0
        if persistent { try check(virNetworkGetAutostart(raw, &autostart)) }
        return try ObjectRecord(
            uuid: uuid, name: name, isActive: checkFlag(virNetworkIsActive(raw)), isPersistent: persistent,
            autostart: autostart != 0, xml: readXML(inactive: false),
            inactiveXML: persistent ? readXML(inactive: true) : nil)
    }
}

extension StoragePool {
    /// Its record, in one hop.
    /// - Throws: `LibvirtError`, `noStoragePool` if it is gone.
    public func record() async throws -> ObjectRecord {
        try await call { _ in try self.readRecord() }
    }

    fileprivate func readRecord() throws -> ObjectRecord {
        let persistent = try checkFlag(virStoragePoolIsPersistent(raw))
        var autostart: Int32 = 0
        if persistent { try check(virStoragePoolGetAutostart(raw, &autostart)) }
        return try ObjectRecord(
            uuid: uuid, name: name, isActive: checkFlag(virStoragePoolIsActive(raw)),
            isPersistent: persistent, autostart: autostart != 0,
            xml: readXML(inactive: false),
            inactiveXML: persistent ? readXML(inactive: true) : nil)
    }
}

/// The result, or nil where libvirt says that the thing does not exist any more.
func skipping<T>(_ code: LibvirtError.Code, _ body: () throws -> T) throws -> T? {
    do {
        return try body()
    } catch let error as LibvirtError where error.code == code {
        return nil
    }
}
