// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The files that the tests look at.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// One Swift file of a target.
    struct Source {
        var path: String
        var text: String
    }

    /// The Swift files below a folder of the repository, in order.
    static func sources(below folder: String) throws -> [Source] {
        let base = root.appending(path: folder)
        return try FileManager.default.subpathsOfDirectory(atPath: base.path).sorted()
            .filter { $0.hasSuffix(".swift") }
            .map { Source(path: "\(folder)/\($0)", text: try text("\(folder)/\($0)")) }
    }

    static func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: root.appending(path: path)), as: UTF8.self)
    }
}
