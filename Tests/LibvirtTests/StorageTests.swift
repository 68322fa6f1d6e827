// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Libvirt

@Suite struct StorageTests {
    @Test func aPoolLivesAndDies() async throws {
        let connection = try await openTest()
        let pool = try await connection.define(storagePool: poolXML(name: uniqueName("pool")))
        try await pool.build()
        try await pool.start()
        #expect(try await pool.isActive())
        #expect(try await pool.info().state == .running)
        try await pool.refresh()
        try await pool.setAutostart(true)
        #expect(try await pool.autostart())
        #expect(try await connection.storagePoolRecords().contains { $0.uuid == pool.uuid && $0.autostart })
        try await pool.destroy()
        #expect(await libvirtError { _ = try await pool.volumes() }?.code == .operationInvalid)
        try await pool.undefine()
        #expect(await libvirtError { _ = try await pool.xml() }?.code == .noStoragePool)
    }

    @Test func aVolumeLivesAndDies() async throws {
        let connection = try await openTest()
        let pool = try await connection.define(storagePool: poolXML(name: uniqueName("pool")))
        try await pool.start()
        let volume = try await pool.createVolume(volumeXML(name: "one"))
        #expect(try await volume.info().capacity == 1 << 20)
        #expect(try await volume.path().hasSuffix("/one"))
        #expect(try await volume.pool().uuid == pool.uuid)
        let taken = await libvirtError { _ = try await pool.createVolume(volumeXML(name: "one")) }
        #expect(taken?.code == .operationFailed)
        let copy = try await pool.createVolume(volumeXML(name: "two"), cloning: volume)
        #expect(try await pool.volumes().map(\.name).sorted() == ["one", "two"])
        #expect(try await pool.volumeRecords().contains(copy.record()))
        try await copy.delete()
        #expect(await libvirtError { _ = try await pool.volume(name: "two") }?.code == .noStorageVol)
        try await pool.destroy()
        try await pool.undefine()
    }
}
