// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// Whether something stands between guests and what networks that run promise them: the host's own filters,
/// rules of ours that are gone, a DHCP server that has ended. `network check` proves it with packets.
struct NetworkServiceFindings: HostCheck {
    let name = "network.service"
    let causes: @Sendable () async throws -> [NetworkCause]

    func notes() async throws -> [Note] {
        let found = try await causes()
        guard found.isEmpty else { return found.map { .warning($0.message, $0.hint) } }
        return [.ok("nothing is seen that keeps guests from what their networks promise")]
    }
}
