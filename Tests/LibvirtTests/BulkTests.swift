// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Libvirt

@Suite struct BulkTests {
    @Test func aThousandDomainsAreReadInOneHop() async throws {
        let connection = try await openTest()
        let prefix = uniqueName("bulk")
        let uuids = (0..<1_000).map { _ in UUID() }
        for (index, uuid) in uuids.enumerated() {
            let domain = try await connection.define(
                domain: domainXML(name: "\(prefix)-\(index)", uuid: uuid), [])
            if index.isMultiple(of: 100) { try await domain.start() }
        }
        let records = try await connection.domainRecords().filter { $0.name.hasPrefix(prefix) }
        #expect(Set(records.map(\.uuid)) == Set(uuids))
        #expect(records.count == 1_000)
        #expect(records.filter(\.isActive).count == 10)
        #expect(records.allSatisfy { $0.isActive == ($0.status.state == .running) })
        #expect(records.allSatisfy { $0.isActive == ($0.activeXML != nil) })
        #expect(records.allSatisfy { $0.inactiveXML?.contains("<name>\($0.name)</name>") == true })
        for uuid in uuids {
            let domain = try await connection.domain(uuid: uuid)
            if domain.id != nil { try await domain.destroy() }
            try await domain.undefine()
        }
    }

    @Test func aRecordOfOneEqualsTheRecordAmongAll() async throws {
        let connection = try await openTest()
        let domain = try await connection.define(domain: domainXML(name: uniqueName("one")))
        try await domain.setAutostart(true)
        try await domain.start()
        let one = try await connection.domainRecord(uuid: domain.uuid)
        let among = try await connection.domainRecords().first { $0.uuid == domain.uuid }
        #expect(one != nil && one == among)
        try await domain.destroy()
        try await domain.undefine()
    }

    @Test func xmlIsLeftOutIfNotAskedFor() async throws {
        let connection = try await openTest()
        let record = try #require(await connection.domainRecords([]).first { $0.name == "test" })
        #expect(record.activeXML == nil && record.inactiveXML == nil)
    }

    /// Domains that come and go meanwhile are no error.
    @Test func readingWhileDomainsVanish() async throws {
        let connection = try await openTest()
        let other = try await openTest()
        let churn = Task {
            while !Task.isCancelled {
                let domain = try await other.create(domain: domainXML(name: uniqueName("churn")))
                try await domain.destroy()
            }
        }
        for _ in 0..<200 { _ = try await connection.domainRecords() }
        churn.cancel()
        _ = await churn.result
    }
}
