// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI

/// What the guest is told at its first start.
struct GuestOptions: ParsableArguments {
    @Option(name: .customLong("user"), help: "The user that cloud-init creates.")
    var user: String?

    @Option(
        name: .customLong("ssh-key"),
        help: .init("A file of public keys; may be repeated.", valueName: "file"), completion: .file())
    var sshKeys: [String] = []

    @Option(
        name: .customLong("cloud-init"), help: .init("user-data; - is stdin.", valueName: "file"),
        completion: .file())
    var cloudInit: String?

    @Option(
        name: .customLong("network-config"), help: .init("network-config; - is stdin.", valueName: "file"),
        completion: .file())
    var networkConfig: String?

    /// - Throws: a ``Failure`` where stdin would be read twice.
    func check() throws {
        let fromStdin = ([cloudInit, networkConfig] + sshKeys.map { $0 }).filter { $0 == "-" }
        guard fromStdin.count < 2 else { throw Failure.usage("only one file can be read from stdin") }
    }

    func fill(_ body: inout VMCreate) throws {
        body.user = user
        let keys = try sshKeys.flatMap { try Files.publicKeys($0) }
        body.sshKeys = keys.isEmpty ? nil : keys
        body.cloudInit = try cloudInit.map { Secret(try Files.text($0)) }
        body.networkConfig = try networkConfig.map { Secret(try Files.text($0)) }
    }
}
