// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Logging
import VctlAPI
import VctlCore

/// The daemon's command line.
@main
struct Vctld: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vctld", abstract: "The daemon of vctl: virtual machines through libvirt.",
        version: Wire.version)

    @Option(
        name: .customLong("config"),
        help: "The configuration file; without it \(ConfigurationFile.defaultPath).")
    var file: String?

    @Option(help: "Where everything is kept that vctld itself knows.")
    var stateDir: String?

    @Option(help: "The socket to listen on; the read-only one is beside it, with -ro before the suffix.")
    var socket: String?

    @Option(help: "libvirt's connection URI.")
    var connect: String?

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel: LogLevel?

    @Flag(help: "Rebuild the inventory from what bears this instance's mark, even if there is one.")
    var recover = false

    @Flag(
        help: "Write the rules of networks into the kernel as they were kept, and end: before libvirt starts."
    )
    var loadFirewall = false

    @Flag(help: "Print the documented configuration file with every default, and end.")
    var printConfig = false

    @Flag(name: .customLong("print-openapi"), help: "Print the API's OpenAPI document, and end.")
    var printOpenAPI = false

    func run() async throws {
        if printConfig { return print(ConfigurationKey.document(), terminator: "") }
        if printOpenAPI { return print(OpenAPI.document(), terminator: "") }
        do {
            if loadFirewall {
                _ = try KeptRules(stateDirectory: try configured().stateDirectory).load()
                return
            }
            try await Daemon(configuration: try configured(), recover: recover).run()
        } catch {
            FileHandle.standardError.write(Data("error: \(error)\n".utf8))
            throw ArgumentParser.ExitCode(1)
        }
    }

    /// The file's configuration with the flags over it.
    private func configured() throws -> Configuration {
        let path = file ?? ConfigurationFile.defaultPath
        var configuration = try ConfigurationFile.load(path, mayBeAbsent: file == nil)
        if let stateDir { configuration.stateDirectory = Self.absolute(stateDir) }
        if let connect { configuration.libvirtURI = connect }
        if let logLevel { configuration.logLevel = logLevel.level }
        if let socket {
            configuration.socket = Self.absolute(socket)
            configuration.readOnlySocket = Wire.readOnlySocket(beside: configuration.socket)
        }
        configuration.stateDirectory = Self.absolute(configuration.stateDirectory)
        return configuration
    }

    private static func absolute(_ path: String) -> String { URL(filePath: path).standardizedFileURL.path }
}

/// A level of the log, as typed.
struct LogLevel: ExpressibleByArgument {
    let level: Logger.Level

    init?(argument: String) {
        guard let level = Logger.Level(rawValue: argument) else { return nil }
        self.level = level
    }

    static var allValueStrings: [String] { Logger.Level.allCases.map(\.rawValue) }
}
