// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import FoundationEssentials
import VctlAPI
import VctlClient

/// `vctl version`.
struct Version: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the versions of this program and of the daemon.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions

    @Flag(name: .customLong("client"), help: "Only this program's; asks no daemon.")
    var clientOnly = false

    /// What is printed for programs.
    struct Versions: Codable {
        var client: String
        var daemon: VersionInfo?
    }

    func run() throws {
        let versions = Versions(client: Wire.version, daemon: clientOnly ? nil : daemon())
        switch output.format {
        case .json: Standard.out([UInt8](try JSONEncoder().encode(versions)) + [0x0A])
        case .yaml:
            Standard.out(YAML.text(try JSONNode(parsing: [UInt8](try JSONEncoder().encode(versions)))))
        case .name: Standard.out(versions.client + "\n")
        case .csv: Standard.out(CSV.text(headings: ["program", "version"], rows: rows(versions)))
        case .table: Standard.out(rows(versions).map { "\($0[0])  \($0[1])\n" }.joined())
        }
    }

    private func rows(_ versions: Versions) -> [[String]] {
        [["vctl", versions.client]] + (versions.daemon.map { [["vctld", shown($0.version)]] } ?? [])
    }

    /// This program has a version without a daemon too, so its absence is only told.
    private func daemon() -> VersionInfo? {
        let client = connect.client()
        client.patience = 5
        do {
            return try client.send(Request(Endpoints.named("version"))).decoded()
        } catch {
            Standard.error("warning: \(Failure(error).message)")
            return nil
        }
    }
}
