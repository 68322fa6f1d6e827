// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The checks, as functions from what is there to what is wrong with it.
enum Checks {
    /// The modules that a Swift file imports, with the line of each.
    static func imports(_ text: String) -> [(line: Int, module: String)] {
        text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { index, line in
            // Regular expressions are slow in a debug build, and most lines import nothing.
            guard line.utf8.count < 200, line.contains("import ") else { return nil }
            return module(importedBy: line).map { (index + 1, $0) }
        }
    }

    private static func module(importedBy line: Substring) -> String? {
        let before = #/^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|private|fileprivate)\s+)?/#
        let statement = #/^import\s+(?:(?:struct|class|enum|protocol|typealias|func|let|var)\s+)?(\w+)/#
        let rest = line.replacing(before, with: "", maxReplacements: 1)
        return rest.firstMatch(of: statement).map { String($0.1) }
    }

    /// Imports that the house has no arrow for.
    static func foreignImports(_ source: Repository.Source, of target: String) -> [String] {
        guard let room = House.rooms[target] else { return ["\(target) is not in the picture"] }
        return imports(source.text).compactMap { line, module in
            if House.toolchain.contains(module) || room.rooms.contains(module) { return nil }
            if room.modules.contains(module) { return nil }
            if House.foundation.contains(module) {
                return room.foundation
                    ? nil : "\(source.path):\(line): \(target) must not load all of Foundation (\(module))"
            }
            return "\(source.path):\(line): \(target) must not import \(module)"
        }
    }

    /// Dependencies in the manifest that the house has no arrow for.
    static func foreignDependencies(_ target: PackageDescription.Target) -> [String] {
        guard let room = House.rooms[target.name] else { return ["\(target.name) is not in the picture"] }
        let targets = (target.targetDependencies ?? []).filter { !room.rooms.contains($0) }
        let products = (target.productDependencies ?? []).filter { !room.modules.contains($0) }
        return (targets + products).sorted().map { "Package.swift: \(target.name) must not depend on \($0)" }
    }

    /// Names that would become drawers for everything.
    static func emptyNames(_ names: [String]) -> [String] {
        names.filter { House.emptyNames.contains($0) }.map {
            "a target called \($0) says nothing about itself"
        }
    }

    /// Places where the checks of concurrency are overruled although they may not be, or without a reason.
    static func overruledConcurrency(_ source: Repository.Source, of target: String) -> [String] {
        guard source.text.contains("@unchecked") || source.text.contains("(unsafe)") else { return [] }
        let lines = source.text.split(separator: "\n", omittingEmptySubsequences: false).map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        let allowed = House.rooms[target]?.mayOverruleConcurrency == true
        return lines.indices.compactMap { index in
            guard !lines[index].hasPrefix("//") else { return nil }
            let found = ["@unchecked Sendable", "nonisolated(unsafe)"].filter(lines[index].contains)
            guard let what = found.first else { return nil }
            if !allowed { return "\(source.path):\(index + 1): \(target) must not use \(what)" }
            return isJustified(lines, index)
                ? nil : "\(source.path):\(index + 1): \(what) without a SAFETY: line"
        }
    }

    /// The comment and the attributes right above a line, or the comment that begins what it declares.
    private static func isJustified(_ lines: [String], _ index: Int) -> Bool {
        let above = lines[..<index].reversed().prefix { $0.hasPrefix("//") || $0.hasPrefix("@") }
        let below = lines[(index + 1)...].prefix { $0.hasPrefix("//") }
        return (above + below).contains { $0.hasPrefix("//") && $0.contains("SAFETY:") }
    }

    /// What the README of a target does not speak of; `nil`: there is none.
    static func readmeProblems(_ readme: String?, of target: PackageDescription.Target) -> [String] {
        guard let readme else { return ["\(target.path)/README.md is missing"] }
        guard target.type != "system-target" else { return [] }
        return ["Errors", "Concurrency", "Non-goals"].filter { !readme.contains($0) }.map {
            "\(target.path)/README.md does not speak of: \($0)"
        }
    }
}
