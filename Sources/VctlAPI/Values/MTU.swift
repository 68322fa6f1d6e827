// SPDX-License-Identifier: Apache-2.0

/// The largest packet of a link, in bytes: from the least that IPv4 allows to the greatest that Linux takes.
public struct MTU: CheckedNumber {
    public let number: Int
    public static let range = 68...65535
    public static let rule = "an MTU is a number of bytes from 68 to 65535"

    public init(checking number: Int) throws(InvalidValue) { self.number = try Self.checked(number) }
}
