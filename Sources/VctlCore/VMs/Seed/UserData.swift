// SPDX-License-Identifier: Apache-2.0

/// The kinds of user-data that cloud-init tells apart by how the text begins.
enum UserData {
    /// What is wrong with user-data that will be passed on as it is; `nil`: nothing that can be seen here.
    static func problem(with text: String) -> String? {
        if let problem = sizeProblem(text) { return problem }
        let start = text.drop(while: \.isWhitespace)
        if start.hasPrefix("\u{FEFF}") {
            return "it begins with a byte order mark, which cloud-init cannot read"
        }
        guard let kind = Kind(start) else {
            return
                "it begins like nothing that cloud-init knows; the first line of YAML is #cloud-config, of a "
                + "script #! and its interpreter"
        }
        switch kind {
        case .cloudConfig: return YAMLGuard.problem(with: text, root: .mapping)
        case .archive: return YAMLGuard.problem(with: text, root: .sequence)
        case .other: return nil
        }
    }

    static func sizeProblem(_ text: String) -> String? {
        let size = text.utf8.count
        if size > SeedRequest.maximumBytes { return "it has \(size) bytes; at most 1 MiB is possible" }
        return text.utf8.contains(0) ? "it contains a zero byte" : nil
    }

    private enum Kind {
        case cloudConfig, archive
        /// Scripts, includes, MIME messages, templates: nothing that can be checked without running it.
        case other

        init?(_ start: Substring) {
            let line = start.prefix { !$0.isNewline }.lowercased()
            let word = line.split(separator: " ", maxSplits: 1).first.map(String.init) ?? ""
            switch word {
            case "#cloud-config": self = .cloudConfig
            case "#cloud-config-archive": self = .archive
            case "#include", "#include-once", "#cloud-boothook", "#part-handler", "#cloud-config-jsonp":
                self = .other
            default:
                let prefixes = ["#!", "## template:", "content-type:", "mime-version:", "from "]
                guard prefixes.contains(where: line.hasPrefix) else { return nil }
                self = .other
            }
        }
    }
}
