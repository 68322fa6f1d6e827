// SPDX-License-Identifier: Apache-2.0
import Testing
import VctlAPI

@testable import VctlCore

/// What leases and agents say of addresses, brought together.
struct AddressTests {
    private let lease = VM.Address(address: "192.0.2.7", prefix: 24, source: .lease)
    private func said(_ text: String) -> VM.Address { VM.Address(address: text, prefix: 24, source: .agent) }

    @Test func theAgentKnowsBetterThanALease() {
        let merged = AddressReader.merged(["a": [lease]], ["a": [said("192.0.2.9")]])
        #expect(merged == ["a": [said("192.0.2.9")]])
    }

    @Test func anAddressOfBothCameByLease() {
        let merged = AddressReader.merged(["a": [lease]], ["a": [said("192.0.2.7"), said("192.0.2.8")]])
        #expect(merged == ["a": [lease, said("192.0.2.8")]])
    }

    @Test func eachNICHasItsOwn() {
        let merged = AddressReader.merged(["a": [lease]], ["b": [said("198.51.100.1")], "a": []])
        #expect(merged == ["a": [lease], "b": [said("198.51.100.1")]])
    }
}
