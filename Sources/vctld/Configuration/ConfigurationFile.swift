// SPDX-License-Identifier: Apache-2.0
import Foundation
import Logging
import TOMLKit
import VctlAPI

/// Reads `vctld.toml`.
enum ConfigurationFile {
    /// Where the file is, unless told otherwise. It may be absent there.
    static let defaultPath = "/etc/vctl/vctld.toml"

    /// The configuration of the file at `path`; the defaults where it is absent and `mayBeAbsent`.
    /// - Throws: ``StartError`` naming the file, the line and the key.
    static func load(_ path: String, mayBeAbsent: Bool) throws -> Configuration {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile && mayBeAbsent {
            return Configuration()
        } catch {
            var isDirectory: ObjCBool = false
            let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
            let why = isThere && isDirectory.boolValue ? "it is a directory" : error.localizedDescription
            throw StartError("the configuration \(path) cannot be read: \(why)")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw StartError("the configuration \(path) is no valid UTF-8")
        }
        return try read(text, from: path)
    }

    /// The configuration that `text` says; `path` is only for the errors.
    /// - Throws: ``StartError``.
    static func read(_ text: String, from path: String) throws -> Configuration {
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw StartError("\(path):\(error.source.begin.line): \(error.description)")
        }
        let place = { (section: String, key: String?) in KeyPlace(text: text, section: section, key: key) }
        var configuration = Configuration()
        try refuseUnknown(in: table) { "\(path)\(place($0, $1).suffix)" }
        for key in ConfigurationKey.all {
            guard let value = table[key.section]?.table?[key.name] else { continue }
            let spot = "\(path)\(place(key.section, key.name).suffix)"
            try key.read(&configuration, TOMLReader(value: value, key: key.path, place: spot))
        }
        if table["daemon"]?.table?["socket"] != nil, table["daemon"]?.table?["readonly_socket"] == nil {
            configuration.readOnlySocket = Wire.readOnlySocket(beside: configuration.socket)
        }
        return configuration
    }

    private static func refuseUnknown(in table: TOMLTable, place: (String, String?) -> String) throws {
        for section in table.keys.sorted() {
            let known = ConfigurationKey.all.filter { $0.section == section }.map(\.name)
            guard !known.isEmpty else { throw StartError("\(place(section, nil)): unknown key \(section)") }
            guard let members = table[section]?.table else {
                throw StartError("\(place(section, nil)): \(section) must be a table: [\(section)]")
            }
            for name in members.keys.sorted() where !known.contains(name) {
                throw StartError(
                    "\(place(section, name)): unknown key \(section).\(name)"
                        + " (known here: \(known.joined(separator: ", ")))")
            }
        }
    }
}

/// The line of a key: TOMLKit tells places of syntax errors only.
struct KeyPlace {
    let text: String
    let section: String
    let key: String?

    /// `:LINE`, or nothing where the key is written in an unusual way.
    var suffix: String { line.map { ":\($0)" } ?? "" }

    private var line: Int? {
        var current = ""
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = raw.trimmingCharacters(in: .whitespaces)
            if line.hasPrefix("[") {
                current = line.prefix { $0 != "]" }.dropFirst().trimmingCharacters(in: .whitespaces)
                if key == nil, current == section || current.hasPrefix(section + ".") { return index + 1 }
            }
            let name = line.prefix { $0 != "=" }.trimmingCharacters(in: CharacterSet(charactersIn: " \t\""))
            if isHere(name, in: current) { return index + 1 }
        }
        return nil
    }

    private func isHere(_ name: String, in current: String) -> Bool {
        guard let key else { return current.isEmpty && (name == section || name.hasPrefix(section + ".")) }
        return current == section ? name == key : current.isEmpty && name == "\(section).\(key)"
    }
}

/// One value of the file.
struct TOMLReader {
    let value: any TOMLValueConvertible
    let key: String
    let place: String

    func text(mayBeEmpty: Bool) throws -> String {
        guard let text = value.string else { throw wrong("a string") }
        guard mayBeEmpty || !text.isEmpty else { throw wrong("a string that is not empty") }
        return text
    }

    func paths() throws -> [String] {
        let paths = try texts()
        guard paths.allSatisfy({ $0.hasPrefix("/") }) else { throw wrong("a list of absolute paths") }
        return paths
    }

    func texts() throws -> [String] {
        guard let array = value.array else { throw wrong("a list of strings") }
        return try array.map { element in
            guard let text = element.string else { throw wrong("a list of strings") }
            return text
        }
    }

    func number(in range: ClosedRange<Int>) throws -> Int {
        guard let number = value.int, range.contains(number) else {
            throw wrong("a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func logLevel() throws -> Logger.Level {
        guard let level = value.string.flatMap(Logger.Level.init(rawValue:)) else {
            throw wrong("one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return level
    }

    private func wrong(_ wanted: String) -> StartError { StartError("\(place): \(key) must be \(wanted)") }
}
