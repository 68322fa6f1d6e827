// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Testing
import VctlAPI
import VctlClient

@testable import vctl

/// Whatever flag a command takes has to change what it asks for.
@Suite final class FlagTests {
    /// A command, and what is said whatever flag is tried.
    private static let commands = [
        ["vm", "create", "web", "--image", "base"], ["vm", "set", "web", "--user", "ada"],
        ["profile", "create", "small", "--cpus", "7"], ["profile", "set", "small", "--cpus", "7"],
    ]

    /// Flags about the request and its reply, and not about the object.
    private static let elsewhere: Set<String> = [
        "socket", "host", "format", "columns", "wait", "no-wait", "timeout", "strict", "dry-run",
        "idempotency-key", "if-not-exists", "wait-for", "vms", "select", "managed", "help", "version",
    ]

    /// What a profile cannot say, and is refused.
    private static let refused: Set<String> = ["kernel", "initrd", "cmdline"]

    private let file = "/tmp/vctl-test-\(UUID().uuidString)"

    init() throws {
        try "ssh-ed25519 AAAA ada\n".write(toFile: file, atomically: true, encoding: .utf8)
    }

    deinit { unlink(file) }

    /// The body of the request that a command line leads to.
    private func body(_ line: [String]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        // The whole tree is not needed, and there are hundreds of lines.
        let rest = Array(line.dropFirst(2))
        let data =
            switch line.prefix(2).joined(separator: " ") {
            case "vm create": try encoder.encode(try VMCreateCommand.parse(rest).body())
            case "vm set": try encoder.encode(try VMSet.parse(rest).patch())
            case "profile create": try encoder.encode(try ProfileCreateCommand.parse(rest).body())
            case "profile set": try encoder.encode(try ProfileSet.parse(rest).patch())
            default: throw Failure.usage("no command of this test")
            }
        return String(decoding: data, as: UTF8.self)
    }

    /// What an option takes that takes no plain word.
    private static let values: [String: [String]] = [
        "3": ["cpus", "max-cpus", "autostart-order"], "2G": ["memory", "max-memory", "disk", "disk-size"],
        "5m": ["autostart-delay"], "uefi": ["firmware"], "spice": ["graphics"], "restart": ["on-crash"],
        "a=b": ["label", "vm-label"], "tpm": ["unset"], "./title=x": ["xml-patch"], "scsi": ["disk-bus"],
        "raw": ["disk-format"], "full": ["disk-preallocation"],
    ]

    private func value(_ option: String) -> String {
        if ["cloud-init", "network-config", "ssh-key", "password-file", "xml"].contains(option) {
            return file
        }
        return Self.values.first { $0.value.contains(option) }?.key ?? "other"
    }

    @Test(arguments: commands)
    func everyFlagArrives(_ line: [String]) throws {
        let root = try DescribedCommand.root()
        let without = try body(line)
        var count = 0
        for argument in try root.below(line.prefix(2)).arguments ?? [] {
            for name in (argument.names ?? []).filter({ $0.kind == "long" }).map(\.name) {
                guard !Self.elsewhere.contains(name) else { continue }
                count += 1
                let tried = line + ["--\(name)"] + (argument.kind == "flag" ? [] : [value(name)])
                let isRefused = line[0] == "profile" && Self.refused.contains(name)
                if isRefused {
                    #expect(throws: (any Error).self, "\(tried)") { try body(tried) }
                } else {
                    #expect(try body(tried) != without, "\(tried)")
                }
            }
        }
        #expect(count > 20)
    }

    @Test(arguments: ["order": "autostartOrder", "delay": "autostartDelaySeconds"])
    func noneTakesAwayWhereThereIsSomething(_ flag: String, _ field: String) throws {
        let none = ["--autostart-\(flag)", "none"]
        for line in [["vm", "set", "web"], ["profile", "set", "small"]] {
            #expect(try body(line + none).contains("\"\(field)\":null"), "\(line)")
        }
        for line in [["vm", "create", "web"], ["profile", "create", "small"]] {
            #expect(throws: Failure.self, "\(line)") { try body(line + none) }
        }
    }
}
