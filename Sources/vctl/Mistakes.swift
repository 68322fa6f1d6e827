// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI

/// What someone meant who wrote what is no command: a slip of the keyboard, a verb without its noun, or the
/// words of other programs.
enum Mistakes {
    /// The failure for a word that is no command; `nil` where that is not what is wrong.
    static func unknownCommand(_ arguments: [String]) -> Failure? {
        let path = CommandTree.walk(arguments)
        let children = CommandTree.children(of: path.command)
        guard !children.isEmpty, let word = arguments.dropFirst(path.count).first, !word.hasPrefix("-") else {
            return nil
        }
        let rest = arguments.dropFirst(path.count + 1).map { shown($0) }
        let names = path.names.joined(separator: " ")
        let hint = suggestion(word, path).map { words in
            "did you mean: " + (path.names + words + rest.prefix(8)).joined(separator: " ")
        }
        return .usage("\(names) has no command \"\(shown(word))\"", hint: hint ?? "\(names) --help")
    }

    /// The words that should stand in the place of the wrong one.
    private static func suggestion(_ word: String, _ path: CommandTree.Walk) -> [String]? {
        let word = word.lowercased()
        let names = CommandTree.names(below: path.command)
        if word.hasSuffix("s"), names.contains(String(word.dropLast())) { return [String(word.dropLast())] }
        if path.names.count > 1 {
            if let other = foreign[word], names.contains(other[0]) { return other }
            return Similar.words(to: word, among: names, limit: 1).first.map { [$0] }
        }
        let verbs = CommandTree.names(below: VMCommand.self)
        if verbs.contains(word) { return ["vm", word] }
        if let other = foreign[word], verbs.contains(other[0]) { return ["vm"] + other }
        if let near = Similar.words(to: word, among: names, limit: 1).first { return [near] }
        return Similar.words(to: word, among: verbs, limit: 1).first.map { ["vm", $0] }
    }

    /// Verbs of virsh, docker and others.
    private static let foreign: [String: [String]] = [
        "destroy": ["stop", "--force"], "kill": ["stop", "--force"], "shutdown": ["stop"],
        "poweroff": ["stop"], "reboot": ["restart"], "undefine": ["delete"], "rm": ["delete"],
        "remove": ["delete"], "dominfo": ["show"], "info": ["show"], "inspect": ["show"],
        "describe": ["show"], "get": ["show"], "dumpxml": ["xml"], "ls": ["list"], "ps": ["list"],
        "run": ["create"], "new": ["create"], "add": ["create"], "install": ["create"], "edit": ["set"],
        "unpause": ["resume"], "attach": ["console"], "logs": ["console", "--log"],
        "log": ["console", "--log"], "mv": ["rename"], "domrename": ["rename"], "save": ["suspend"],
        "pull": ["import"], "watch": ["follow"],
    ]

    /// What is said to a flag of another program that the message calls unknown; `nil` where it is none.
    static func foreignFlag(_ message: String) -> String? {
        let quoted = message.split(separator: "'").map { String($0.prefix { $0 != "=" }) }
        return quoted.lazy.compactMap { flag in flags[flag].map { "instead of \(flag): \($0)" } }.first
    }

    /// Flags of virt-install, virsh and others, which no command here has.
    static let flags: [String: String] = [
        "--ram": "--memory SIZE, as in --memory 2G", "--mem": "--memory SIZE, as in --memory 2G",
        "--vcpus": "--cpus N", "--vcpu": "--cpus N", "--json": "--format json", "--yaml": "--format yaml",
        "-o": "--format table|json|yaml|csv|name", "--output": "--format table|json|yaml|csv|name",
        "-y": "--yes", "--net": "--network NAME", "--nic": "--network NAME",
        "--name": "the name alone, behind the verb", "--os-variant": "nothing, leave it out",
        "--noautoconsole": "nothing, leave it out",
        "--no-color": "the variable NO_COLOR=1",
        "--all": "nothing, lists show all", "-a": "nothing, lists show all",
    ]
}
