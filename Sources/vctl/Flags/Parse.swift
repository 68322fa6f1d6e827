// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `KEY=VALUE`.
struct KeyValue: Hashable, Sendable {
    let key: String
    let value: String
}

/// From the text of a flag to its checked value. What is wrong is said without the value: ArgumentParser adds
/// it.
enum Parse {
    /// The reason alone.
    struct Refused: Error, CustomStringConvertible {
        let description: String
    }

    static func size(_ text: String) throws -> ByteCount {
        try refusing { () throws(InvalidValue) in try ByteCount(text) }
    }
    static func name(_ text: String) throws -> Name {
        try refusing { () throws(InvalidValue) in try Name(text) }
    }
    static func linkAddress(_ text: String) throws -> LinkAddress {
        try refusing { () throws(InvalidValue) in try LinkAddress(text) }
    }
    static func linkName(_ text: String) throws -> LinkName {
        try refusing { () throws(InvalidValue) in try LinkName(text) }
    }
    static func reference(_ text: String) throws -> Reference {
        try refusing { () throws(InvalidValue) in try Reference(checking: text) }
    }
    static func checksum(_ text: String) throws -> Checksum {
        try refusing { () throws(InvalidValue) in try Checksum(checking: text) }
    }
    static func span(_ text: String) throws -> TimeSpan {
        try refusing { () throws(InvalidValue) in try TimeSpan(text) }
    }

    static func host(_ text: String) throws -> SSHHost {
        try refusing { () throws(InvalidValue) in try SSHHost(text) }
    }

    static func address(_ text: String) throws -> IPAddress {
        try refusing { () throws(InvalidValue) in try IPAddress(checking: text) }
    }

    static func subnet(_ text: String) throws -> SubnetChoice {
        try refusing { () throws(InvalidValue) in try SubnetChoice(checking: text) }
    }

    /// A range of addresses, or `none`.
    static func range(_ text: String) throws -> DHCPRange? {
        if text == "none" { return nil }
        return try refusing { () throws(InvalidValue) in try DHCPRange(checking: text) }
    }

    static func timeout(_ text: String) throws -> TimeSpan {
        let span = try span(text)
        guard span.milliseconds > 0 else { throw Refused(description: "a timeout is more than zero") }
        return span
    }

    static func positive(_ text: String) throws -> Int {
        guard let number = Int(text), (1...1_000_000).contains(number) else {
            throw Refused(description: "this is no whole number of at least 1")
        }
        return number
    }

    /// A whole number, or `none`.
    static func removableNumber(_ text: String) throws -> Removable<Int> {
        if text == "none" { return Removable<Int>(nil) }
        guard let number = Int(text), number >= 0 else {
            throw Refused(description: "this is neither a whole number nor none")
        }
        return Removable<Int>(number)
    }

    /// A time in whole seconds, or `none`.
    static func removableSeconds(_ text: String) throws -> Removable<Int> {
        Removable<Int>(text == "none" ? nil : try span(text).wholeSeconds)
    }

    static func count(_ text: String) throws -> Int64 {
        guard let number = Int64(text), number >= 0 else {
            throw Refused(description: "this is no whole number")
        }
        return number
    }

    static func keyValue(_ text: String) throws -> KeyValue {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else { throw Refused(description: "write KEY=VALUE") }
        return KeyValue(key: String(parts[0]), value: String(parts[1]))
    }

    /// `XPATH=VALUE`: the first `=` that is not part of a condition in brackets or of a text in quotes.
    static func xmlPatch(_ text: String) throws -> XMLPatch {
        var depth = 0
        var quote: Character?
        for index in text.indices {
            let character = text[index]
            if let open = quote {
                if character == open { quote = nil }
                continue
            }
            switch character {
            case "'", "\"": quote = character
            case "[", "(": depth += 1
            case "]", ")": depth -= 1
            case "=" where depth == 0 && index != text.startIndex:
                let value = String(text[text.index(after: index)...])
                return XMLPatch(xpath: String(text[..<index]), value: RemovableText(value))
            default: continue
            }
        }
        throw Refused(description: "write XPATH=VALUE, like ./devices/video/model/@type=virtio")
    }

    static func condition(_ text: String) throws -> WaitCondition {
        try refusing { () throws(InvalidValue) in try WaitCondition(checking: text) }
    }

    /// What ``condition(_:)`` takes, but for the ports of `tcp:`.
    static let conditions = CompletionKind.list(["running", "stopped", "ip", "agent", "cloud-init", "tcp:"])

    /// The values of an enumeration of the API, for completion.
    static func choices<T: APIEnum>(_ type: T.Type) -> CompletionKind {
        .list(T.allCases.map(\.rawValue))
    }

    /// A value of an enumeration of the API.
    static func choice<T: APIEnum>(_ text: String) throws -> T {
        if let value = T(rawValue: text) { return value }
        throw Refused(description: "known are \(T.allCases.map(\.rawValue).joined(separator: ", "))")
    }

    static func refusing<T>(_ make: () throws(InvalidValue) -> T) throws -> T {
        do {
            return try make()
        } catch {
            throw Refused(description: error.problem)
        }
    }
}
