// SPDX-License-Identifier: Apache-2.0
import Testing

@Suite("The house has the rooms and arrows of DESIGN.md")
struct ArchitectureTests {
    private static let description = Result { try PackageDescription.ofRepository() }
    let targets: [PackageDescription.Target]

    init() throws {
        targets = try Self.description.get().targets
    }

    private var product: [PackageDescription.Target] { targets.filter { !$0.isTest } }

    @Test func everyRoomIsThere() {
        #expect(Set(product.map(\.name)) == Set(House.rooms.keys))
    }

    @Test func theManifestHasNoOtherArrow() {
        #expect(product.flatMap(Checks.foreignDependencies) == [])
    }

    @Test func noFileImportsAnythingElse() throws {
        var files = 0
        var found: [String] = []
        for target in product {
            let sources = try Repository.sources(below: target.path)
            files += sources.count
            found += sources.flatMap { Checks.foreignImports($0, of: target.name) }
        }
        #expect(files > 100)
        #expect(found == [])
    }

    @Test func noProgramDependsOnTests() {
        let tests = Set(targets.filter(\.isTest).map(\.name))
        let found = targets.filter { !tests.isDisjoint(with: $0.targetDependencies ?? []) }
        #expect(found.map(\.name) == [])
    }

    @Test func namesSayWhatIsInside() {
        #expect(Checks.emptyNames(targets.map(\.name)) == [])
    }

    @Test func everyTargetHasAReadme() {
        let found = product.flatMap { target in
            Checks.readmeProblems(try? Repository.text("\(target.path)/README.md"), of: target)
        }
        #expect(found == [])
    }

    @Test func concurrencyIsOverruledOnlyRoundCAndWithAReason() throws {
        var found: [String] = []
        for target in product {
            let sources = try Repository.sources(below: target.path)
            found += sources.flatMap { Checks.overruledConcurrency($0, of: target.name) }
        }
        #expect(found == [])
    }

    /// The test run ends with the summary of one framework; tests of another would be left out.
    @Test func allTestsUseSwiftTesting() throws {
        let found = try Repository.sources(below: "Tests").filter { source in
            Checks.imports(source.text).contains { $0.module == "XCTest" }
        }
        #expect(found.map(\.path) == [])
    }
}
