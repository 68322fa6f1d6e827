// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import VctlCore

struct StateDirectoryTests {
    @Test func whatWasBegunIsRemovedAndNothingElse() throws {
        let folder = try TemporaryFolder()
        let state = try StateDirectory(path: folder("state"))
        let begun = [".new-0123abcd", "guard/order.json.new-6d597669", "objects/vm/x.json.new-00000000"]
        let others = ["guard/order.json", "secrets/x.new-key", "volumes/disk.new-0123abcd"]
        for name in begun + others {
            let path = "\(state.path)/\(name)"
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Data().write(to: URL(filePath: path))
        }
        state.removeUnfinished()
        let left = { FileManager.default.fileExists(atPath: "\(state.path)/\($0 as String)") }
        #expect(begun.filter(left) == [] && others.allSatisfy(left))
    }
}
