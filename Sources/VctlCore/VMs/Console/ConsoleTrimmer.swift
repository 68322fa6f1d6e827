// SPDX-License-Identifier: Apache-2.0
import Foundation
import Logging
import VctlAPI

/// Keeps the logs of serial consoles from filling the disk. Where virtlogd writes them it has its own bounds
/// (`max_size` and `max_backups` of virtlogd.conf, 2 MiB and 3 without it); without virtlogd QEMU writes one
/// file for ever, whose beginning is freed here.
struct ConsoleTrimmer: Sendable {
    let environment: VMEnvironment
    /// So many bytes of each are kept.
    let most: Int64
    static let interval = Duration.seconds(10)

    func run() async {
        var isPossible = true
        while isPossible, !Task.isCancelled {
            isPossible = trim()
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// - Returns: whether it makes sense to try again.
    private func trim() -> Bool {
        let directory = environment.state.consoles
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in names where name.hasSuffix(".log") {
            guard LogFile.trim("\(directory)/\(name)", to: most) else {
                environment.logger.warning(
                    "this file system cannot free parts of files; the logs of consoles grow without bound",
                    metadata: ["path": "\(directory)"])
                return false
            }
        }
        return true
    }
}
