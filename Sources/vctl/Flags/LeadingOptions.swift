// SPDX-License-Identifier: Apache-2.0

/// Options that may stand before the noun, as in `vctl --socket PATH vm list`: they belong to the verb, and
/// are moved to where it looks for them.
enum LeadingOptions {
    private static let names = ["--socket"]

    /// The same command line with leading options behind the verb's own words.
    static func moved(_ arguments: [String]) -> [String] {
        var leading: [String] = []
        var rest = arguments[...]
        while let first = rest.first, let count = words(of: first), rest.count > count {
            leading += rest.prefix(count)
            rest = rest.dropFirst(count)
        }
        // Behind the verb, and before everything that may belong to a guest's command.
        let words = CommandTree.path(of: Array(rest)).count - 1
        return Array(rest.prefix(words)) + leading + Array(rest.dropFirst(words))
    }

    /// How many words the option takes; `nil` for what is none of these options.
    private static func words(of argument: String) -> Int? {
        if names.contains(argument) { return 2 }
        return names.contains { argument.hasPrefix($0 + "=") } ? 1 : nil
    }
}
