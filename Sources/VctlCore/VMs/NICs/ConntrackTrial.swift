// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// Tries whether the kernel follows flows on bridges (nf_conntrack_bridge), in a network namespace that ends
/// with the trial.
struct ConntrackTrial: Sendable {
    private static let rules = """
        table bridge trial {
            chain trial {
                type filter hook postrouting priority 0; policy accept;
                ct state established ct direction reply accept
            }
        }

        """

    /// Why it does not; `nil`: it does, or only root could find out.
    func problem() async throws -> String? {
        guard geteuid() == 0 else { return nil }
        let file = FileManager.default.temporaryDirectory.path + "/vctl-nft-\(ObjectID().short)"
        try DurableFile.write(Array(Self.rules.utf8), to: file, mode: 0o600)
        defer { unlink(file) }
        let trial = Tool("unshare", ["--net", "--", "nft", "-f", file], deadline: .seconds(10))
        let answer = try await trial.answer()
        guard answer.status != 0 else { return nil }
        let reason = answer.errors.split(separator: "\n").first { $0.contains("Error: ") }
        return reason.flatMap { $0.split(separator: " ", maxSplits: 1).last.map(String.init) }
            ?? "nft ended with status \(answer.status)"
    }
}
