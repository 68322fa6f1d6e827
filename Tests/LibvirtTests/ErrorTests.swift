// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Libvirt

@Suite struct ErrorTests {
    @Test func whatDoesNotExistHasItsOwnNumber() async throws {
        let connection = try await openTest()
        let name = uniqueName("none")
        let uuid = UUID()
        #expect(await libvirtError { _ = try await connection.domain(name: name) }?.code == .noDomain)
        #expect(await libvirtError { _ = try await connection.domain(uuid: uuid) }?.code == .noDomain)
        #expect(await libvirtError { _ = try await connection.network(name: name) }?.code == .noNetwork)
        #expect(
            await libvirtError { _ = try await connection.storagePool(name: name) }?.code == .noStoragePool)
        #expect(
            await libvirtError { _ = try await connection.volume(path: "/\(name)") }?.code == .noStorageVol)
    }

    @Test func badXMLIsToldFromUnacceptableXML() async throws {
        let connection = try await openTest()
        #expect(
            await libvirtError { _ = try await connection.define(domain: "<domain", []) }?.code == .xmlDetail)
        let unknown = "<domain type='test'><name>x</name><nonsense/></domain>"
        let error = await libvirtError { _ = try await connection.define(domain: unknown) }
        #expect(error?.code == .xmlInvalidSchema)
        #expect(error?.message.isEmpty == false)
        #expect(error?.level == .error)
    }

    @Test func aTakenNameIsRefused() async throws {
        let connection = try await openTest()
        let name = uniqueName("taken")
        let first = try await connection.define(domain: domainXML(name: name))
        let error = await libvirtError { _ = try await connection.define(domain: domainXML(name: name)) }
        #expect(error?.code == .operationFailed)
        try await first.undefine()
    }

    @Test func aWrongStateIsInvalid() async throws {
        let connection = try await openTest()
        let domain = try await connection.define(domain: domainXML(name: uniqueName("state")))
        #expect(await libvirtError { try await domain.destroy() }?.code == .operationInvalid)
        try await domain.start()
        #expect(
            await libvirtError { try await domain.rename(to: uniqueName("no")) }?.code == .operationInvalid)
        try await domain.destroy()
        try await domain.undefine()
        #expect(await libvirtError { _ = try await domain.xml() }?.code == .noDomain)
    }

    @Test func numbersUnknownHereAreKept() {
        let code = LibvirtError.Code(rawValue: 9_999)
        #expect(code.rawValue == 9_999)
        #expect(code != .internalError)
        #expect(LibvirtError.Code.noDomain.rawValue == 42)
    }

    @Test func aReadOnlyConnectionDeniesChanges() async throws {
        let connection = try await Connection.open(uri: "test:///default", readOnly: true)
        let xml = domainXML(name: uniqueName("ro"))
        #expect(await libvirtError { _ = try await connection.define(domain: xml) }?.code == .operationDenied)
    }

    @Test func anUnknownDriverCannotBeOpened() async throws {
        let error = await libvirtError { _ = try await Connection.open(uri: "nonsense:///") }
        // libvirt takes the name for a daemon's that it cannot reach.
        #expect(error?.code == .systemError)
        #expect(error?.systemErrno == ENOENT || error?.systemErrno == ECONNREFUSED)
    }

    @Test func errorsOfManyTasksAreNotMixedUp() async throws {
        let connection = try await openTest()
        let codes = await withTaskGroup(of: (Bool, LibvirtError.Code?).self) { group in
            for index in 0..<400 {
                group.addTask {
                    let wantsDomain = index.isMultiple(of: 2)
                    let error = await libvirtError {
                        if wantsDomain {
                            _ = try await connection.domain(name: "none-\(index)")
                        } else {
                            _ = try await connection.network(name: "none-\(index)")
                        }
                    }
                    return (wantsDomain, error?.code)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes.allSatisfy { $0.1 == ($0.0 ? .noDomain : .noNetwork) })
        #expect(codes.count == 400)
    }
}
