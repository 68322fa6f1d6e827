// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import VctlAPI
import VctlClient

/// `vctl man`: for whoever installs the program.
struct ManCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "man", abstract: "Write the manual pages of all commands into a folder.",
        shouldDisplay: false)

    @Argument(
        help: .init("The folder; made where it is not there.", valueName: "folder"), completion: .directory)
    var folder: String

    func run() throws {
        guard mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw Files.unwritable(folder) }
        let root = try JSONNode(parsing: Array(ShownRoot._dumpHelp().utf8))
        guard let command = root["command"] else { throw ClientError.malformed("no description of commands") }
        for page in ManualPage.all(command) {
            try Files.write(Array(page.text(date: Self.date).utf8), to: "\(folder)/\(page.name).1")
        }
    }

    /// Today, or what makes a build the same at any time.
    private static var date: String {
        let epoch = getenv("SOURCE_DATE_EPOCH").flatMap { Int64(String(cString: $0)) }
        let time = epoch.map { Timestamp(milliseconds: $0 * 1000) } ?? .now
        return String(time.description.prefix(10))
    }
}
