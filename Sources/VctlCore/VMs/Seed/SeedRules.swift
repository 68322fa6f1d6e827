// SPDX-License-Identifier: Apache-2.0
import VctlAPI

extension SeedRequest {
    /// The largest user-data or network-config, in bytes.
    static let maximumBytes = 1 << 20

    /// All that is wrong with the request, with the fields' names in ``VMCreate``.
    func problems() -> [FieldProblem] {
        userProblems() + keyProblems() + userDataProblems() + networkProblems()
    }

    /// Both ways of saying who may log in are not merged: which of them wins would be a guess, and with
    /// cloud-init's own rules for lists the loser vanishes silently.
    private func userProblems() -> [FieldProblem] {
        var problems: [FieldProblem] = []
        if cloudInit != nil {
            let hint = "cloudInit is used as it is; write this into its users: or leave cloudInit out"
            if user != nil { problems.append(FieldProblem("user", hint)) }
            if !sshKeys.isEmpty { problems.append(FieldProblem("sshKeys", hint)) }
        }
        if let user, !Self.isUserName(user) {
            problems.append(
                FieldProblem("user", "a user name has 1 to 32 of a-z 0-9 _ - and begins with a letter or _"))
        }
        return problems
    }

    private static func isUserName(_ name: String) -> Bool {
        guard let first = name.utf8.first, (1...32).contains(name.utf8.count) else { return false }
        let isLetter = { (byte: UInt8) in (0x61...0x7A).contains(byte) || byte == 0x5F }
        let isOther = { (byte: UInt8) in (0x30...0x39).contains(byte) || byte == 0x2D }
        return isLetter(first) && name.utf8.allSatisfy { isLetter($0) || isOther($0) }
    }

    private func keyProblems() -> [FieldProblem] {
        sshKeys.enumerated().compactMap { index, key in
            Self.problem(withKey: key).map { FieldProblem("sshKeys[\(index)]", $0) }
        }
    }

    private static func problem(withKey key: String) -> String? {
        if key.utf8.count > 16384 { return "a public key has at most 16384 bytes" }
        if key.contains("PRIVATE KEY-----") {
            return "this is a private key; give the file that ends in .pub"
        }
        let line = key.last == "\n" ? key.dropLast() : key[...]
        if line.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\t" }) {
            return "a public key is one line; give several as several keys"
        }
        let words = line.split(whereSeparator: \.isWhitespace)
        // Options may stand before the type (sshd(8)).
        let isKey = words.dropLast().contains { word in
            ["ssh-", "ecdsa-", "sk-"].contains { word.hasPrefix($0) }
        }
        return isKey ? nil : "a public key is a type and a text, such as ssh-ed25519 AAAA…"
    }

    private func userDataProblems() -> [FieldProblem] {
        guard let text = cloudInit?.reveal() else { return [] }
        return UserData.problem(with: text).map { [FieldProblem("cloudInit", $0)] } ?? []
    }

    private func networkProblems() -> [FieldProblem] {
        guard let text = networkConfig?.reveal() else { return [] }
        let problem = UserData.sizeProblem(text) ?? YAMLGuard.problem(with: text, root: .mapping)
        return problem.map { [FieldProblem("networkConfig", $0)] } ?? []
    }
}
