// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Libvirt

@Suite struct DomainTests {
    @Test func livesAndDies() async throws {
        let connection = try await openTest()
        let domain = try await connection.define(domain: domainXML(name: uniqueName("life")))
        #expect(try await domain.status().state == .shutoff)
        #expect(domain.id == nil)
        try await domain.start()
        #expect(try await domain.status() == DomainStatus(state: .running, reason: 1))
        #expect(try await domain.status().reasonName == "booted")
        try await domain.suspend()
        #expect(try await domain.status() == DomainStatus(state: .paused, reason: 1))
        try await domain.resume()
        try await domain.reboot()
        #expect(try await domain.isActive())
        #expect(try await domain.info().vCPUs == 1)
        try await domain.shutdown()
        #expect(try await domain.status().state == .shutoff)
        try await domain.undefine()
        #expect(try await connection.domainRecord(uuid: domain.uuid) == nil)
    }

    @Test func memoryIsSavedAndRestored() async throws {
        let connection = try await openTest()
        let domain = try await connection.define(domain: domainXML(name: uniqueName("save")))
        try await domain.start()
        try await domain.managedSave()
        #expect(try await domain.hasManagedSave())
        #expect(try await domain.record().hasManagedSave)
        #expect(try await domain.record().status.reasonName == "saved")
        try await domain.start()
        #expect(try await !domain.hasManagedSave())
        try await domain.destroy()
        try await domain.undefine()
    }

    @Test func definitionsAreFoundByNameAndUUID() async throws {
        let connection = try await openTest()
        let name = uniqueName("find")
        let uuid = UUID()
        let domain = try await connection.define(domain: domainXML(name: name, uuid: uuid))
        #expect(domain.uuid == uuid)
        #expect(domain.name == name)
        #expect(try await connection.domain(name: name).uuid == uuid)
        #expect(try await connection.domain(uuid: uuid).name == name)
        let xml = try await domain.xml([.inactive, .secure])
        #expect(xml.contains("<uuid>\(uuid.uuidString.lowercased())</uuid>"))
        try await domain.undefine()
    }

    @Test func renamesWhileOff() async throws {
        let connection = try await openTest()
        let domain = try await connection.define(domain: domainXML(name: uniqueName("old")))
        let new = uniqueName("new")
        try await domain.rename(to: new)
        #expect(try await connection.domain(uuid: domain.uuid).name == new)
        try await domain.undefine()
    }

    @Test func startsWithTheHostIfAsked() async throws {
        let connection = try await openTest()
        let domain = try await connection.define(domain: domainXML(name: uniqueName("auto")))
        #expect(try await !domain.autostart())
        try await domain.setAutostart(true)
        #expect(try await domain.autostart())
        #expect(try await connection.domainRecord(uuid: domain.uuid)?.autostart == true)
        try await domain.undefine()
    }

    @Test func carriesOurMetadata() async throws {
        let connection = try await openTest()
        let domain = try await connection.define(domain: domainXML(name: uniqueName("meta")))
        let uri = "urn:test:metadata"
        #expect(try await domain.metadata(uri: uri) == nil)
        try await domain.setMetadata("<object id='1'/>", uri: uri, key: "t", .config)
        #expect(try await domain.metadata(uri: uri) == "<object id=\"1\"/>")
        #expect(try await domain.xml(.inactive).contains("<t:object xmlns:t=\"\(uri)\" id=\"1\"/>"))
        try await domain.setMetadata(nil, uri: uri, key: "t", .config)
        #expect(try await domain.metadata(uri: uri) == nil)
        try await domain.setTitle("a title", .config)
        try await domain.setNote("two\nlines", .config)
        #expect(try await domain.title() == "a title")
        #expect(try await domain.note() == "two\nlines")
        try await domain.undefine()
    }

    @Test func changesItsSize() async throws {
        let connection = try await openTest()
        let domain = try await connection.define(domain: domainXML(name: uniqueName("size")))
        try await domain.setVCPUs(4, maximum: true, .config)
        try await domain.setVCPUs(3, .config)
        #expect(try await domain.vCPUs(.config) == 3)
        #expect(try await domain.vCPUs(maximum: true, .config) == 4)
        try await domain.setMemory(kibibytes: 16_384, maximum: true, .config)
        #expect(try await domain.maximumMemory() == 16_384)
        try await domain.undefine()
    }

    @Test func aTransientOneVanishes() async throws {
        let connection = try await openTest()
        let domain = try await connection.create(domain: domainXML(name: uniqueName("transient")))
        let record = try await domain.record()
        #expect(!record.isPersistent && record.isActive)
        #expect(record.inactiveXML == nil && record.activeXML != nil)
        try await domain.destroy()
        #expect(try await connection.domainRecord(uuid: domain.uuid) == nil)
    }

    @Test func hasSnapshots() async throws {
        let connection = try await openTest()
        let domain = try await connection.define(domain: domainXML(name: uniqueName("snap")))
        #expect(try await domain.currentSnapshot() == nil)
        let first = try await domain.createSnapshot("<domainsnapshot><name>one</name></domainsnapshot>")
        let second = try await domain.createSnapshot("<domainsnapshot><name>two</name></domainsnapshot>")
        #expect(first.name == "one")
        #expect(try await domain.snapshots().map(\.name) == ["one", "two"])
        #expect(try await domain.currentSnapshot()?.name == "two")
        #expect(try await second.parent()?.name == "one")
        #expect(try await first.parent() == nil)
        try await first.revert()
        #expect(try await first.isCurrent())
        #expect(try await first.xml().contains("<name>one</name>"))
        try await first.delete(.children)
        #expect(await libvirtError { _ = try await domain.snapshot(name: "one") }?.code == .noDomainSnapshot)
        try await domain.undefine()
    }

    @Test func hasCheckpoints() async throws {
        let connection = try await openTest()
        let name = uniqueName("check")
        let disk =
            "<devices><disk type='file'><source file='/x'/><target dev='vda'/></disk></devices></domain>"
        let xml = domainXML(name: name).replacingOccurrences(of: "</domain>", with: disk)
        let domain = try await connection.define(domain: xml)
        try await domain.start()
        let first = try await domain.createCheckpoint("<domaincheckpoint><name>one</name></domaincheckpoint>")
        let second = try await domain.createCheckpoint(
            "<domaincheckpoint><name>two</name></domaincheckpoint>")
        #expect(try await domain.checkpoints().map(\.name) == ["one", "two"])
        #expect(try await second.parent()?.name == "one")
        #expect(try await first.xml(.noDomain).contains("<name>one</name>"))
        try await second.delete()
        #expect(
            await libvirtError { _ = try await domain.checkpoint(name: "two") }?.code == .noDomainCheckpoint)
        try await first.delete(.metadataOnly)
        try await domain.destroy()
        try await domain.undefine()
    }

    @Test func tellsItsStatistics() async throws {
        let connection = try await openTest()
        let domain = try await connection.domain(name: "test")
        let values = try await domain.statistics(.state)
        #expect(values["state.state"]?.integer == Int64(DomainState.running.rawValue))
        let all = try await connection.statistics(.state, .active)
        #expect(all.contains { $0.domain.uuid == domain.uuid })
    }
}
