// SPDX-License-Identifier: Apache-2.0

/// What the kernel, or a library before it, said when a call failed. Match it by `errno`, never by its words.
public struct HostNetError: Error, Sendable, Hashable {
    /// The call, as a person would say it: `create bridge br0`.
    public let call: String
    /// The errno behind it; 0 where there is none.
    public let errno: Int32
    /// The words of the kernel or the library.
    public let message: String

    /// Whether it was about packet rules, and not about links.
    public let isOfRules: Bool

    /// An error with the given parts.
    public init(call: String, errno: Int32, message: String, isOfRules: Bool = false) {
        (self.call, self.errno, self.message, self.isOfRules) = (call, errno, message, isOfRules)
    }
}

extension HostNetError: CustomStringConvertible {
    /// The call and what was said about it.
    public var description: String { "\(call): \(message)" }
}
