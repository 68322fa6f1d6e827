// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Libvirt

@Suite struct TypedParametersTests {
    @Test func surviveTheWayThroughLibvirt() throws {
        let values: TypedParameters = [
            "a.int": .int(-1), "b.uint": .uint(.max), "c.long": .long(.min), "d.ulong": .ulong(.max),
            "e.double": .double(0.25), "f.boolean": .boolean(true), "g.string": .string("ünïcode"),
        ]
        let copy = try values.withRaw { TypedParameters(copying: $0, count: Int($1)) }
        #expect(copy == values)
    }

    @Test func aNameThatIsTooLongIsRefused() {
        let values: TypedParameters = [String(repeating: "x", count: 80): .int(1)]
        #expect(throws: LibvirtError.self) { try values.withRaw { _, _ in } }
    }

    @Test func numbersAreReadAsWhatFits() {
        #expect(TypedValue.int(-5).integer == -5)
        #expect(TypedValue.int(-5).unsigned == nil)
        #expect(TypedValue.ulong(.max).integer == nil)
        #expect(TypedValue.ulong(.max).unsigned == .max)
        #expect(TypedValue.string("x").integer == nil)
        #expect(TypedValue.string("x").text == "x")
        #expect(TypedValue.boolean(true).flag == true)
    }
}
