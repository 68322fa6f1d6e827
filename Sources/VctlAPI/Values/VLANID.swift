// SPDX-License-Identifier: Apache-2.0

/// The tag of a VLAN (IEEE 802.1Q): 0 is for frames without one, and 4095 is reserved.
public struct VLANID: CheckedNumber {
    public let number: Int
    public static let range = 1...4094
    public static let rule = "a VLAN's tag is a number from 1 to 4094"

    public init(checking number: Int) throws(InvalidValue) { self.number = try Self.checked(number) }
}
