// SPDX-License-Identifier: Apache-2.0
import HostNet
import Logging
import VctlAPI

/// Makes links again that are gone, as all are after a reboot. For the start of the daemon, before requests
/// are served.
struct LinkKeeping: Sendable {
    let environment: VMEnvironment

    /// What cannot be made is warned of, and tried again at the next start.
    func run() async throws {
        // Bridges first: TAPs are ports of them.
        let bridges = BridgeMaker(environment)
        try await makeAgain(KeptBridge.self, bridges.links) { bridge in
            // What waits for somebody's word is not ours to make.
            guard bridge.pending == nil else { return }
            try await bridges.ensure(bridge)
            try await bridges.takeOverAgain(bridge)
        }
        let taps = TAPMaker(environment)
        try await makeAgain(KeptTAP.self, taps.links) { try await taps.ensure($0) }
    }

    private func makeAgain<Record: LinkRecord>(
        _ type: Record.Type, _ links: MarkedLinks, _ make: (Record) async throws -> Void
    ) async throws {
        let rows = try await environment.inventory.read { try type.all($0) }.filter { $0.operation == nil }
        guard !rows.isEmpty else { return }
        let marks = Set(try await environment.hostLinks.all().compactMap(\.alias))
        for record in rows.map(\.record) where !marks.contains(links.mark(record.id)) {
            await self.make(record) { try await make(record) }
        }
    }

    private func make<Record: LinkRecord>(_ record: Record, _ body: () async throws -> Void) async {
        let noun = Record.kind.rawValue
        do {
            try await body()
            environment.logger.info("made again", metadata: [.init(noun): "\(record.name)"])
        } catch {
            let problem = Problem(describing: error)
            environment.logger.warning("not made again", metadata: [.init(noun): "\(problem.detail)"])
            try? await environment.inventory.write { transaction in
                try transaction.warn(
                    "link.missing", "\(noun) \(record.name) could not be made again: \(problem.detail)",
                    hint: problem.hint, subject: record.reference)
            }
        }
    }
}
