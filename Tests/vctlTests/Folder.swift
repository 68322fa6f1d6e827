// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc

/// A folder for as long as a test needs it.
enum Folder {
    static func with<T>(_ body: (String) throws -> T) throws -> T {
        let folder = "/tmp/vctl-test-\(UUID().uuidString.prefix(13))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try body(folder)
    }

    /// One with a script in it that is found as `ssh`.
    /// - Parameter body: takes the `PATH` for that.
    static func withSSH<T>(_ script: String, _ body: (String) throws -> T) throws -> T {
        try with { folder in
            let text = "\(folder)/text"
            try "#!/bin/sh\n\(script)\n".write(toFile: text, atomically: false, encoding: .utf8)
            // By a program of its own: what a test forks while this process writes a file can keep it busy.
            let copying = try Process.run(
                URL(filePath: "/usr/bin/install"), arguments: ["-m", "755", text, "\(folder)/ssh"])
            copying.waitUntilExit()
            return try body("\(folder):/usr/bin:/bin")
        }
    }
}
