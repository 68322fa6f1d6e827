// SPDX-License-Identifier: Apache-2.0
import Testing

/// Every check finds what it is there for.
@Suite("The checks of the architecture can fail")
struct CheckerTests {
    private func source(_ text: String) -> Repository.Source { .init(path: "A.swift", text: text) }

    private func target(
        _ name: String, type: String = "library", targets: [String]? = nil, products: [String]? = nil
    ) -> PackageDescription.Target {
        .init(
            name: name, type: type, path: "Sources/\(name)", targetDependencies: targets,
            productDependencies: products)
    }

    @Test(arguments: [
        ("import GRDB", "GRDB"),
        ("  import GRDB  // why", "GRDB"),
        ("@testable import Libvirt", "Libvirt"),
        ("@preconcurrency public import NIOCore", "NIOCore"),
        ("@_spi(Testing) internal import Yams", "Yams"),
        ("import struct Foundation.Data", "Foundation"),
        ("import func Glibc.open", "Glibc"),
    ])
    func importsAreFound(line: String, module: String) {
        let found = Checks.imports("// import Other\n\(line)\nlet imported = 1\n")
        #expect(found.map(\.module) == [module])
        #expect(found.map(\.line) == [2])
    }

    @Test(arguments: [
        ("vctl", "VctlCore"), ("VctlClient", "Libvirt"), ("VctlAPI", "VctlCore"), ("VctlCore", "Hummingbird"),
        ("VctlCore", "CLibvirt"), ("vctld", "GRDB"), ("vctld", "Libvirt"), ("Libvirt", "VctlAPI"),
        ("VirtXML", "Libvirt"), ("vctl", "Foundation"), ("VctlClient", "FoundationNetworking"),
        ("VctlAPI", "Foundation"),
    ])
    func arrowsThatAreNotInThePictureAreFound(target: String, module: String) {
        let found = Checks.foreignImports(source("import Glibc\nimport \(module)\n"), of: target)
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("A.swift:2: \(target) ") == true)
    }

    @Test func arrowsOfThePictureAreAllowed() {
        let text = "import Foundation\nimport GRDB\nimport Libvirt\nimport Synchronization\n"
        #expect(Checks.foreignImports(source(text), of: "VctlCore") == [])
    }

    @Test func unknownTargetsAreFound() {
        #expect(Checks.foreignImports(source(""), of: "Extra") == ["Extra is not in the picture"])
        #expect(Checks.foreignDependencies(target("Extra")) == ["Extra is not in the picture"])
    }

    @Test func dependenciesInTheManifestAreFound() {
        let bad = target("VctlAPI", targets: ["VctlCore"], products: ["GRDB"])
        #expect(
            Checks.foreignDependencies(bad) == [
                "Package.swift: VctlAPI must not depend on GRDB",
                "Package.swift: VctlAPI must not depend on VctlCore",
            ])
        #expect(
            Checks.foreignDependencies(target("VctlCore", targets: ["Libvirt"], products: ["GRDB"])) == [])
    }

    @Test func emptyNamesAreFound() {
        #expect(Checks.emptyNames(["VctlCore", "Utils", "Models"]).count == 2)
    }

    @Test(arguments: ["final class A: @unchecked Sendable {}", "nonisolated(unsafe) var a = 1"])
    func overruledConcurrencyIsFound(line: String) {
        #expect(count("// SAFETY: why\n\(line)", "VctlCore") == 1)
        #expect(count("\n\(line)", "Libvirt") == 1)
        #expect(count("// SAFETY: far\n\n\(line)", "Libvirt") == 1)
        #expect(count("\(line)\nlet a = 1\n// SAFETY: far", "Libvirt") == 1)
    }

    @Test(arguments: ["final class A: @unchecked Sendable {", "nonisolated(unsafe) var a = 1"])
    func overruledConcurrencyWithAReasonIsAllowed(line: String) {
        #expect(count("// SAFETY: why\n@dynamicMemberLookup\n\(line)", "Libvirt") == 0)
        #expect(count("\(line)\n    // SAFETY: why", "VirtXML") == 0)
        #expect(count("// \(line)", "VctlCore") == 0)
    }

    private func count(_ text: String, _ target: String) -> Int {
        Checks.overruledConcurrency(source(text), of: target).count
    }

    @Test func poorReadmesAreFound() {
        #expect(
            Checks.readmeProblems(nil, of: target("VctlCore")) == ["Sources/VctlCore/README.md is missing"])
        #expect(Checks.readmeProblems("# VctlCore\n", of: target("VctlCore")).count == 3)
        #expect(Checks.readmeProblems("# CLibvirt\n", of: target("CLibvirt", type: "system-target")) == [])
    }
}
