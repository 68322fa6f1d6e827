// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI

/// `vctl image delete`.
struct ImageDelete: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "delete", abstract: "Delete images.")

    @OptionGroup var options: DeleteOptions
    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.images) var names: [String]

    @Flag(name: .customLong("force"), help: "Override the guard that the error named.")
    var force = false

    func run() throws {
        try options.run(.image, names, missing: .imageNotFound, query: force ? [("force", "true")] : [])
    }
}
