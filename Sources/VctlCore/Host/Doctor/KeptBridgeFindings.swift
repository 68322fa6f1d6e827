// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// Whether the bridges that vctl made are as they are kept, with their ports and addresses.
struct KeptBridgeFindings: HostCheck {
    let name = "network.keptBridges"
    let lacks: @Sendable () async throws -> [(bridge: KeptBridge, lacks: [String])]

    func notes() async throws -> [Note] {
        let found = try await lacks()
        guard found.isEmpty else {
            return found.map { bridge, lacks in
                .warning(
                    "bridge \(bridge.name): \(lacks.joined(separator: "; "))",
                    "vctl bridge show \(bridge.name); ip -brief link")
            }
        }
        return [.ok("the bridges that vctl made have their ports and addresses")]
    }
}
