// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What SwiftPM says about this package.
struct PackageDescription: Decodable {
    /// One target with what it depends on.
    struct Target: Decodable {
        var name: String
        var type: String
        var path: String
        var targetDependencies: [String]?
        var productDependencies: [String]?

        enum CodingKeys: String, CodingKey {
            case name, type, path
            case targetDependencies = "target_dependencies"
            case productDependencies = "product_dependencies"
        }

        var isTest: Bool { type == "test" }
    }

    var targets: [Target]

    /// Asks `swift package describe`. A scratch folder of its own, since the running `swift test` holds the
    /// lock on the usual one.
    static func ofRepository() throws -> PackageDescription {
        let scratch = FileManager.default.temporaryDirectory.appending(
            path: "vctl-describe-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: scratch) }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "swift", "package", "--package-path", Repository.root.path, "--scratch-path", scratch.path,
            "describe", "--type", "json",
        ]
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let json = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failed(status: process.terminationStatus) }
        return try JSONDecoder().decode(PackageDescription.self, from: json)
    }

    /// `swift package describe` ended badly; it said why on stderr.
    struct Failed: Error { var status: Int32 }
}
