// SPDX-License-Identifier: Apache-2.0
import CLibvirt
import FoundationEssentials

/// All that a mirror of libvirt's domains needs to know about one.
public struct DomainRecord: Sendable, Hashable {
    /// The UUID.
    public let uuid: UUID
    /// The name.
    public let name: String
    /// The hypervisor's number while it runs.
    public let id: Int32?
    /// State and reason.
    public let status: DomainStatus
    /// Whether it has a saved definition.
    public let isPersistent: Bool
    /// Whether it starts with the host.
    public let autostart: Bool
    /// Whether its memory was saved by libvirt.
    public let hasManagedSave: Bool
    /// The XML of what runs, if it runs and was asked for.
    public let activeXML: String?
    /// The XML of the saved definition, if it has one and was asked for.
    public let inactiveXML: String?

    /// Whether it runs or is paused.
    public var isActive: Bool { id != nil }
}

/// Which XML a record shall hold.
public struct RecordXML: OptionSet, Sendable {
    /// The bits.
    public let rawValue: UInt8
    /// A set from bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// What runs.
    public static let active = RecordXML(rawValue: 1)
    /// The saved definition.
    public static let inactive = RecordXML(rawValue: 2)
    /// With passwords; refused on a read-only connection.
    public static let secure = RecordXML(rawValue: 4)
}

extension Connection {
    /// Every domain's record, in one hop to the executor.
    ///
    /// Five round trips for all domains together, and one more for each XML.
    /// What vanishes meanwhile is left out.
    /// - Throws: `LibvirtError`.
    public func domainRecords(_ xml: RecordXML = [.active, .inactive]) async throws -> [DomainRecord] {
        try await call { _ in
            let domains = try self.listDomains()
            let facts = try DomainFacts(of: self)
            return try domains.compactMap { domain in
                try skipping(.noDomain) { try facts.record(of: domain, xml) }
            }
        }
    }

    /// One domain's record, or nil if it does not exist; one hop.
    /// - Throws: `LibvirtError`.
    public func domainRecord(uuid: UUID, _ xml: RecordXML = [.active, .inactive]) async throws
        -> DomainRecord?
    {
        try await call { raw in
            try skipping(.noDomain) {
                let handle = try checkHandle(uuid.withBytes { virDomainLookupByUUID(raw, $0) })
                return try Domain(taking: handle, of: self).readRecord(xml)
            }
        }
    }
}

extension Domain {
    /// Its record, in one hop.
    /// - Throws: `LibvirtError`, `noDomain` if it is gone.
    public func record(_ xml: RecordXML = [.active, .inactive]) async throws -> DomainRecord {
        try await call { _ in try self.readRecord(xml) }
    }

    fileprivate func readRecord(_ xml: RecordXML) throws -> DomainRecord {
        let persistent = try checkFlag(virDomainIsPersistent(raw))
        var autostart: Int32 = 0
        if persistent { try check(virDomainGetAutostart(raw, &autostart)) }
        let saved = try persistent && checkFlag(virDomainHasManagedSaveImage(raw, 0))
        return try record(
            status: Self.readStatus(raw), persistent: persistent, autostart: autostart != 0, saved: saved, xml
        )
    }

    fileprivate func record(
        status: DomainStatus, persistent: Bool, autostart: Bool, saved: Bool, _ xml: RecordXML
    ) throws -> DomainRecord {
        let secure: XMLFlags = xml.contains(.secure) ? .secure : []
        let active = id != nil && xml.contains(.active)
        let inactive = persistent && xml.contains(.inactive)
        return try DomainRecord(
            uuid: uuid, name: name, id: id, status: status, isPersistent: persistent, autostart: autostart,
            hasManagedSave: saved,
            activeXML: active ? takeString(virDomainGetXMLDesc(raw, secure.rawValue)) : nil,
            inactiveXML: inactive
                ? takeString(virDomainGetXMLDesc(raw, secure.union(.inactive).rawValue)) : nil)
    }
}

/// What the filters of libvirt's list call and its bulk statistics say about all domains at once.
private struct DomainFacts {
    let persistent: Set<UUID>
    let autostart: Set<UUID>
    let saved: Set<UUID>
    let statuses: [UUID: DomainStatus]

    init(of connection: Connection) throws {
        persistent = try Set(connection.listDomains(.persistent).map(\.uuid))
        autostart = try Set(connection.listDomains(.autostart).map(\.uuid))
        saved = try Set(connection.listDomains(.managedSave).map(\.uuid))
        statuses = try Self.statuses(of: connection)
    }

    func record(of domain: Domain, _ xml: RecordXML) throws -> DomainRecord {
        try domain.record(
            status: statuses[domain.uuid] ?? Domain.readStatus(domain.raw),
            persistent: persistent.contains(domain.uuid), autostart: autostart.contains(domain.uuid),
            saved: saved.contains(domain.uuid), xml)
    }

    private static func statuses(of connection: Connection) throws -> [UUID: DomainStatus] {
        var records: UnsafeMutablePointer<virDomainStatsRecordPtr?>?
        let groups = VIR_DOMAIN_STATS_STATE.rawValue
        let count = virConnectGetAllDomainStats(connection.raw, groups, &records, 0)
        // A driver without bulk statistics is asked domain by domain.
        guard count >= 0 else { return try unsupportedIsEmpty(LibvirtError.last()) }
        defer { virDomainStatsRecordListFree(records) }
        var found: [UUID: DomainStatus] = [:]
        for index in 0..<Int(count) {
            guard let record = records?[index]?.pointee else { continue }
            let uuid = UUID { virDomainGetUUID(record.dom, $0) }
            found[uuid] = status(TypedParameters(copying: record.params, count: Int(record.nparams)))
        }
        return found
    }

    private static func unsupportedIsEmpty(_ error: LibvirtError) throws -> [UUID: DomainStatus] {
        guard error.code == .noSupport || error.code == .operationUnsupported else { throw error }
        return [:]
    }

    private static func status(_ values: TypedParameters) -> DomainStatus? {
        guard let state = values["state.state"]?.integer, let reason = values["state.reason"]?.integer else {
            return nil
        }
        return DomainStatus(
            state: DomainState(number: Int32(truncatingIfNeeded: state)),
            reason: Int32(truncatingIfNeeded: reason))
    }
}
