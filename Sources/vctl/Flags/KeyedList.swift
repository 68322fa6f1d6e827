// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// `FIRST[,key=value]…`, as `--disk` and `--network` take it.
struct KeyedList {
    let first: String
    private var pairs: [String: String] = [:]

    /// - Parameter known: the keys that may follow; another one is an error that names it and them.
    init(_ text: String, known: [String]) throws {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        first = String(parts[0])
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init)
            guard known.contains(pair[0]) else {
                let list = known.joined(separator: ", ")
                throw Parse.Refused(description: "unknown key \"\(shown(pair[0]))\"; known are \(list)")
            }
            guard pair.count == 2, !pair[1].isEmpty else {
                throw Parse.Refused(description: "\(pair[0]) needs a value: \(pair[0])=…")
            }
            guard pairs.updateValue(pair[1], forKey: pair[0]) == nil else {
                throw Parse.Refused(description: "\(pair[0]) is given twice")
            }
        }
    }

    /// The value of a key through its parser; the reason of a refusal names the key.
    func value<T>(_ key: String, _ parse: (String) throws -> T) throws -> T? {
        guard let text = pairs[key] else { return nil }
        do {
            return try parse(text)
        } catch let error as Parse.Refused {
            throw Parse.Refused(description: "\(key)=\(shown(text)): \(error.description)")
        }
    }
}

extension Parse {
    /// `SIZE[,pool=][,bus=][,format=][,preallocation=]`.
    static func disk(_ text: String) throws -> DiskSpec {
        let list = try KeyedList(text, known: ["pool", "bus", "format", "preallocation"])
        var disk = DiskSpec(sizeBytes: try size(list.first))
        disk.pool = try list.value("pool", reference)
        disk.bus = try list.value("bus", choice)
        disk.format = try list.value("format", choice)
        disk.preallocation = try list.value("preallocation", choice)
        return disk
    }
}
