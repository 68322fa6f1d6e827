// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import VctlCore

struct SeedISOTests {
    private let folder: TemporaryFolder
    private let seed = Seed(
        userData: "#cloud-config\na: ü\n", metaData: "instance-id: i\n", networkConfig: "version: 2\n")

    init() throws { folder = try TemporaryFolder() }

    private func read(_ name: String, extension option: String) async throws -> [String: String] {
        let target = folder("out-\(UUID())")
        let words = ["-osirrox", "on", "-read_fs", option, "-indev", folder(name), "-extract", "/", target]
        try await Tool("xorriso", words).run()
        var files: [String: String] = [:]
        for file in try FileManager.default.contentsOfDirectory(atPath: target) {
            files[file] = try String(contentsOfFile: "\(target)/\(file)", encoding: .utf8)
        }
        try await Tool("chmod", ["-R", "u+rwX", target]).run()
        return files
    }

    @Test(arguments: ["norock", "any"]) func imageHoldsTheTexts(_ option: String) async throws {
        try await seed.write(to: folder("seed.iso"))
        let files = try await read("seed.iso", extension: option)
        #expect(
            files == [
                "user-data": seed.userData, "meta-data": seed.metaData, "network-config": "version: 2\n",
            ])
    }

    @Test func labelIsTheOneThatCloudInitLooksFor() async throws {
        try await seed.write(to: folder("seed.iso"))
        let bytes = try folder.bytes("seed.iso")
        #expect(bytes[32808..<32840].elementsEqual("cidata".utf8 + [UInt8](repeating: 0x20, count: 26)))
        // A Joliet descriptor too, which names the volume in UTF-16.
        #expect(bytes[34816] == 2 && bytes[34856..<34868].elementsEqual("\0c\0i\0d\0a\0t\0a".utf8))
    }

    @Test func sameSeedGivesTheSameBytes() async throws {
        try await seed.write(to: folder("a.iso"))
        try await Task.sleep(for: .milliseconds(1100))
        try await seed.write(to: folder("b.iso"))
        #expect(try folder.bytes("a.iso") == folder.bytes("b.iso"))
    }

    @Test func writingAgainReplacesAndLeavesNothingElse() async throws {
        let path = folder("seed.iso")
        // As an interrupted write leaves it.
        try FileManager.default.createDirectory(
            atPath: path + ".partial/files", withIntermediateDirectories: true)
        try folder.write("half", to: "seed.iso.partial/files/user-data")
        try await seed.write(to: path)
        var other = seed
        other.userData = "#!/bin/sh\n"
        other.networkConfig = nil
        try await other.write(to: path)
        #expect(try await read("seed.iso", extension: "any").keys.sorted() == ["meta-data", "user-data"])
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
            $0.hasPrefix("seed")
        }
        #expect(names == ["seed.iso"])
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func placeThatCannotBeWrittenIsATypedError() async throws {
        let path = folder("none") + "/seed.iso"
        await #expect(throws: FileFailure(path: path + ".partial", errno: ENOENT)) {
            try await seed.write(to: path)
        }
    }
}
