// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import VctlAPI
import VctlClient

/// What can stand in a place of the command line and only the running daemon knows. A shell asks while
/// someone is typing: every answer is quick and silent, and where there is none, it is empty.
enum Live {
    static let vms = names("vm.list", "name")
    static let networks = names("network.list", "name")
    static let pools = names("pool.list", "name")
    static let volumes = names("volume.list", "fullName")
    /// What the name of a new volume begins with.
    static let poolPrefixes = kind { line in
        try line.rows("pool.list", "name").compactMap { $0["name"]?.text }.map { "\($0)/" }
    }
    static let images = names("image.list", "name")
    static let profiles = names("profile.list", "name")
    static let bridges = names("bridge.list", "name")
    static let securityGroups = names("securitygroup.list", "name")
    static let taps = names("tap.list", "name")
    static let operations = names("operation.list", "id")
    static let warnings = names("warning.list", "id")

    /// The disks and drives of the VM that the line names, as the guest's bus order names them.
    static let disks = kind { line in
        guard let vm = line.firstName else { return [] }
        let parts = try line.ask("vm.show", [vm])["disks"]?.elements ?? []
        return parts.compactMap { $0["target"]?.text }
    }

    /// The MACs of the VM that the line names.
    static let nics = kind { line in
        guard let vm = line.firstName else { return [] }
        let parts = try line.ask("vm.show", [vm])["nics"]?.elements ?? []
        return parts.compactMap { $0["mac"]?.text }
    }

    /// The labels that VMs bear, as `KEY=VALUE`.
    static let labels = kind { line in
        let rows = try line.rows("vm.list", "labels")
        let pairs = rows.flatMap { $0["labels"]?.members ?? [] }.map { "\($0.name)=\($0.value.text ?? "")" }
        return Array(Set(pairs)).sorted()
    }

    /// The columns of the noun's table, behind those that are there already.
    static let columns = CompletionKind.custom { words, index, prefix in
        guard let noun = Noun.printed(by: TypedLine(words, index).path) else { return [] }
        let given = prefix.split(separator: ",", omittingEmptySubsequences: false).dropLast()
        let begin = given.map { $0 + "," }.joined()
        return noun.columns.map(\.key).filter { key in !given.contains { $0 == key } }.map { begin + $0 }
    }

    private static func names(_ endpoint: String, _ field: String) -> CompletionKind {
        kind { line in try line.rows(endpoint, field).compactMap { $0[field]?.text } }
    }

    private static func kind(_ find: @escaping @Sendable (TypedLine) throws -> [String]) -> CompletionKind {
        .custom { words, index, _ in
            let line = TypedLine(words, index)
            return ((try? find(line)) ?? []).filter { TypedLine.isHarmless($0) && !line.others.contains($0) }
        }
    }
}

/// A command line that is being typed.
struct TypedLine {
    /// The words behind the program, those that a shell cut at `:` and `=` joined again.
    let words: [String]
    /// The words beside the one that is being completed.
    let others: Set<String>

    init(_ words: [String], _ index: Int) {
        self.words = Self.joined(Array(words.dropFirst()))
        let indices = words.indices.filter { $0 != index }
        others = Set(indices.map { words[$0] })
    }

    static func joined(_ words: [String]) -> [String] {
        var result: [String] = []
        var continues = false
        for word in words {
            let cuts = word == ":" || word == "="
            if cuts || continues, let last = result.popLast() {
                result.append(last + word)
            } else {
                result.append(word)
            }
            continues = cuts
        }
        return result
    }

    /// The commands that it begins with, `vctl` first.
    var path: [String] { CommandTree.path(of: LeadingOptions.moved(words)) }

    /// The first word behind the commands that is no option.
    var firstName: String? {
        var rest = LeadingOptions.moved(words).dropFirst(path.count - 1)
        while let word = rest.popFirst() {
            guard word.hasPrefix("-") else { return (try? Reference(checking: word))?.description }
            if LeadingOptions.names.contains(word) { rest = rest.dropFirst() }
        }
        return nil
    }

    /// The objects of a list, with nothing but one member.
    func rows(_ endpoint: String, _ field: String) throws -> [JSONNode] {
        try ask(endpoint, [], [("fields", field), ("limit", "200")]).elements
    }

    /// What the daemon answers.
    func ask(_ endpoint: String, _ names: [String], _ query: [(String, String)] = []) throws -> JSONNode {
        let client = try connection().client(asks: false)
        client.patience = 3
        let request = Request(Endpoints.named(endpoint), names, query: query)
        return try client.send(request, until: .after(seconds: client.patience)).tree()
    }

    /// Where the line says that the daemon is.
    private func connection() throws -> ConnectOptions {
        var options: [String] = []
        for (index, word) in words.enumerated() {
            let name = word.prefix { $0 != "=" }
            guard LeadingOptions.names.contains(String(name)) else { continue }
            options.append(word)
            if name.count == word.count, index + 1 < words.count { options.append(words[index + 1]) }
        }
        return try ConnectOptions.parse(options)
    }

    /// Shells expand what they are given: a name that another made must not become a command.
    static func isHarmless(_ text: String) -> Bool {
        !text.isEmpty && !text.hasPrefix("-")
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-=/@+".contains($0)) }
    }
}
