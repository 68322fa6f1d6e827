// SPDX-License-Identifier: Apache-2.0
import Foundation
import HostNet
import VctlAPI

/// The text of our table as it was written last, for the host's next boot: libvirt starts networks before the
/// daemon is there.
public struct KeptRules: Sendable {
    private let path: String
    private let table: NftablesTable?

    init(_ state: StateDirectory) {
        path = Self.path(state.path)
        table = NftablesTable(family: "inet", name: state.tableName)
    }

    /// What is kept in a state directory, in which nothing is made or changed.
    public init(stateDirectory: String) {
        path = Self.path(stateDirectory)
        table = nil
    }

    private static func path(_ directory: String) -> String { "\(directory)/firewall.nft" }

    /// Keeps the text that was written, or that there is none.
    func keep(_ body: String?) throws {
        guard let body, let table else { return try DurableFile.remove(path) }
        try DurableFile.write(Array(table.script(for: body).utf8), to: path, mode: 0o600)
    }

    /// Writes what is kept into the kernel.
    /// - Returns: whether there is any.
    /// - Throws: ``HostNetError``, or what the file system says.
    public func load() throws -> Bool {
        guard FileManager.default.fileExists(atPath: path) else { return false }
        let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
        // `table inet vctl { }` begins it.
        let words = text.prefix { $0 != "\n" }.split(separator: " ").map(String.init)
        guard words.count > 2, words[0] == "table", words[1] == "inet", words[2].hasPrefix("vctl") else {
            throw Problem(.internalError, "\(path) holds no rules of vctl's")
        }
        try NftablesTable(family: words[1], name: words[2]).run(script: text)
        return true
    }
}
