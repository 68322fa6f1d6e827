// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Libvirt

@Suite struct NetworkTests {
    @Test func livesAndDies() async throws {
        let connection = try await openTest()
        let name = uniqueName("net")
        let network = try await connection.define(network: networkXML(name: name))
        #expect(try await !network.isActive())
        #expect(try await network.isPersistent())
        try await network.start()
        #expect(try await network.isActive())
        #expect(try await network.bridgeName() == name.suffix(8))
        #expect(await libvirtError { try await network.start() }?.code == .operationInvalid)
        try await network.setAutostart(true)
        #expect(try await network.autostart())
        let record = try await network.record()
        #expect(record.isActive && record.autostart && record.isPersistent)
        #expect(try await connection.networkRecords().contains(record))
        try await network.destroy()
        try await network.undefine()
        #expect(await libvirtError { _ = try await network.xml() }?.code == .noNetwork)
    }

    @Test func isChangedInPlace() async throws {
        let connection = try await openTest()
        let name = uniqueName("net")
        let dhcp =
            "<ip address='192.0.2.1' netmask='255.255.255.0'>"
            + "<dhcp><range start='192.0.2.10' end='192.0.2.20'/></dhcp></ip>"
        let xml = networkXML(name: name).replacingOccurrences(
            of: "<ip address='192.0.2.1' netmask='255.255.255.0'/>", with: dhcp)
        let network = try await connection.define(network: xml)
        try await network.start()
        try await network.update(
            .addLast, .dhcpHost, xml: "<host mac='52:54:00:00:00:01' ip='192.0.2.10'/>", [.live, .config])
        #expect(try await network.xml().contains("52:54:00:00:00:01"))
        #expect(try await network.xml(inactive: true).contains("52:54:00:00:00:01"))
        try await network.destroy()
        try await network.undefine()
    }
}
