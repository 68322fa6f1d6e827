// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VctlClient

/// The manual page of one command, from what ArgumentParser tells of it.
struct ManualPage {
    /// The words of the command: `vctl vm create`.
    let path: [String]
    private let command: JSONNode

    /// The name of the page and of its file: `vctl-vm-create`.
    var name: String { path.joined(separator: "-") }
    private var words: String { path.joined(separator: " ") }

    /// The pages of a command and of all below it.
    static func all(_ command: JSONNode, below path: [String] = []) -> [ManualPage] {
        let page = ManualPage(path: path + [command["commandName"]?.text ?? ""], command: command)
        return [page] + page.children.flatMap { all($0, below: page.path) }
    }

    private var children: [JSONNode] {
        (command["subcommands"]?.elements ?? []).filter {
            $0["shouldDisplay"]?.truth != false && $0["commandName"]?.text != "help"
        }
    }

    private var arguments: [JSONNode] {
        (command["arguments"]?.elements ?? []).filter { $0["shouldDisplay"]?.truth != false }
    }

    /// The page's text.
    /// - Parameter date: the day that it is of, `2026-01-31`.
    func text(date: String) -> String {
        let abstract = command["abstract"]?.text ?? ""
        let head = """
            .TH \(name.uppercased()) 1 "\(date)" "vctl \(Wire.version)" "vctl"
            .SH NAME
            \(Roff.text(name)) \\- \(Roff.text(String(abstract.dropLast(abstract.hasSuffix(".") ? 1 : 0))))

            """
        return head + synopsis + description + options + commands + (path.count == 1 ? general : "") + seeAlso
    }

    // MARK: Sections

    private var synopsis: String {
        var parts = [Roff.bold(words)]
        if arguments.contains(where: { $0["kind"]?.text != "positional" }) { parts.append("[options]") }
        parts += arguments.filter { $0["kind"]?.text == "positional" }.map { argument in
            let name = Roff.italic(argument["valueName"]?.text ?? "")
            let whole = name + (argument["isRepeating"]?.truth == true ? "..." : "")
            return argument["isOptional"]?.truth == true ? "[\(whole)]" : whole
        }
        if !children.isEmpty { parts.append(Roff.italic("command")) }
        return Roff.section("synopsis") + parts.joined(separator: " ") + "\n"
    }

    private var description: String {
        var text = Roff.section("description") + Roff.text(command["abstract"]?.text ?? "") + "\n"
        let names = command["aliases"]?.elements.compactMap(\.text) ?? []
        if !names.isEmpty {
            text += ".PP\nIts other name is \(names.map(Roff.bold).joined(separator: ", ")).\n"
        }
        let discussion = Discussion(command["discussion"]?.text ?? "")
        for paragraph in discussion.paragraphs { text += ".PP\n" + Roff.text(paragraph) + "\n" }
        guard !discussion.examples.isEmpty else { return text }
        return text + Roff.section("examples") + Roff.example(discussion.examples)
    }

    private var options: String {
        var entries: [(terms: [String], text: String)] = []
        for argument in arguments {
            let text = explanation(argument)
            // --wait and --no-wait are two flags with one explanation.
            if argument["kind"]?.text == "flag", let last = entries.last, last.text == text {
                entries[entries.count - 1].terms.append(term(argument))
            } else {
                entries.append((terms: [term(argument)], text: text))
            }
        }
        guard !entries.isEmpty else { return "" }
        return Roff.section("options")
            + entries.map { Roff.entry($0.terms.joined(separator: ", "), $0.text) }.joined()
    }

    private func term(_ argument: JSONNode) -> String {
        let value = Roff.italic(argument["valueName"]?.text ?? "")
        guard argument["kind"]?.text != "positional" else { return value }
        let names = (argument["names"]?.elements ?? []).map { name in
            Roff.bold((name["kind"]?.text == "long" ? "--" : "-") + (name["name"]?.text ?? ""))
        }
        return names.joined(separator: ", ") + (argument["kind"]?.text == "option" ? " \(value)" : "")
    }

    private func explanation(_ argument: JSONNode) -> String {
        var text = Roff.text(argument["abstract"]?.text ?? "")
        if argument["kind"]?.text == "option", let value = argument["defaultValue"]?.text {
            text += " The default is \(Roff.bold(value))."
        }
        return text.isEmpty ? "\\&" : text
    }

    private var commands: String {
        guard !children.isEmpty else { return "" }
        return Roff.section("commands")
            + children.map { child in
                let page = name + "-" + (child["commandName"]?.text ?? "")
                return Roff.entry("\(Roff.bold(page))(1)", Roff.text(child["abstract"]?.text ?? ""))
            }.joined()
    }

    private var seeAlso: String {
        let above =
            path.count > 1 ? ["vctl"] + (path.count > 2 ? [path.prefix(2).joined(separator: "-")] : []) : []
        let below = path.count == 1 ? ["ssh", "virsh"] : []
        return Roff.section("see also")
            + (above + below).map { "\(Roff.bold($0))(1)" }.joined(separator: ", ") + "\n"
    }
}

/// A command's discussion: running text, and lines that can be typed.
struct Discussion {
    let paragraphs: [String]
    let examples: [String]

    init(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        examples = lines.filter { $0.hasPrefix("vctl ") }
        let others = lines.map { $0.hasPrefix("vctl ") ? "" : $0 }
        paragraphs = others.split(separator: "").map { $0.joined(separator: "\n") }
    }
}
