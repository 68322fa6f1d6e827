// SPDX-License-Identifier: Apache-2.0
import Testing
import VctlAPI

@Suite struct PortRangeTests {
    @Test(arguments: [("80", 80, 80), ("8000-8010", 8000, 8010), ("65535", 65_535, 65_535)])
    func portsAreRead(_ text: String, _ first: Int, _ last: Int) throws {
        let range = try PortRange(checking: text)
        #expect(range.first == first && range.last == last && range.description == text)
    }

    @Test(arguments: ["", "0", "65536", "-1", "5-", "10-9", "1-2-3", "a", " 80", "+80"])
    func whatIsNoPort(_ text: String) {
        #expect(throws: InvalidValue.self) { _ = try PortRange(checking: text) }
    }
}
