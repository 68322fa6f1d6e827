// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

@testable import vctld

@Suite struct ConfigurationTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private func message(_ text: String) throws -> String {
        try #require(throws: StartError.self) { _ = try ConfigurationFile.read(text, from: "x.toml") }
            .description
    }

    @Test func theShippedFileIsTheDocumentOfTheCode() throws {
        let file = Self.root.appending(path: "Config/vctld.toml")
        #expect(try String(contentsOf: file, encoding: .utf8) == ConfigurationKey.document())
    }

    @Test func theDocumentSaysTheDefaults() throws {
        #expect(try ConfigurationFile.read(ConfigurationKey.document(), from: "x") == Configuration())
        #expect(try ConfigurationFile.read("", from: "x") == Configuration())
    }

    @Test func everyKeyIsRead() throws {
        let values: [String: String] = [
            "socket": "\"/a/b.sock\"", "log_level": "\"debug\"", "allowed_paths": "[\"/x\"]",
            "admin": "[\"wheel\"]", "log_bytes": "100000",
        ]
        for key in ConfigurationKey.all {
            let fallback = key.defaultText(Configuration()).contains("\"") ? "\"/other\"" : "3000"
            let value = values[key.name] ?? (key.defaultText(Configuration()) == "[]" ? "[\"g\"]" : fallback)
            let read = try ConfigurationFile.read("[\(key.section)]\n\(key.name) = \(value)\n", from: "x")
            #expect(read != Configuration(), "\(key.path) has no effect")
        }
    }

    @Test func unknownKeysAreNamedWithTheirLine() throws {
        let inside = try message("# x\n[daemon]\nsocket = \"/a\"\nsokcet = \"/b\"\n")
        #expect(inside.hasPrefix("x.toml:4: unknown key daemon.sokcet"))
        #expect(try message("\n[deamon]\nsocket = \"/a\"\n").hasPrefix("x.toml:2: unknown key deamon"))
        #expect(try message("socket = \"/a\"\n").hasPrefix("x.toml:1: unknown key socket"))
    }

    @Test func wrongValuesAreNamedWithTheirLine() throws {
        #expect(
            try message("[http]\nmax_connections = \"many\"\n").hasPrefix(
                "x.toml:2: http.max_connections must be"))
        #expect(try message("[http]\nmax_connections = 0\n").contains("from 8 to"))
        #expect(try message("[daemon]\nlog_level = \"loud\"\n").contains("one of trace"))
        #expect(try message("[access]\nadmin = [1]\n").contains("a list of strings"))
        #expect(try message("daemon = 3\n").contains("must be a table"))
        #expect(try message("[daemon\n").hasPrefix("x.toml:"))
    }

    @Test func theReadOnlySocketFollowsTheOther() throws {
        #expect(Wire.readOnlySocket(beside: "/a/foo.sock") == "/a/foo-ro.sock")
        #expect(Wire.readOnlySocket(beside: "/a.b/foo") == "/a.b/foo-ro")
        #expect(Wire.readOnlySocket(beside: Wire.defaultSocket) == Configuration().readOnlySocket)
        let moved = try ConfigurationFile.read("[daemon]\nsocket = \"/x/y.sock\"\n", from: "x")
        #expect(moved.readOnlySocket == "/x/y-ro.sock")
    }

    @Test func thePublishedDescriptionIsThatOfTheCode() throws {
        let file = Self.root.appending(path: "Schemas/openapi.json")
        #expect(try String(contentsOf: file, encoding: .utf8) == OpenAPI.document())
    }
}
