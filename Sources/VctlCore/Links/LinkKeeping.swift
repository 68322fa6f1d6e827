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
        let taps = try await environment.inventory.read { try KeptTAP.all($0) }.filter { $0.operation == nil }
        guard !taps.isEmpty else { return }
        let maker = TAPMaker(environment)
        let marks = Set(try await environment.hostLinks.all().compactMap(\.alias))
        for tap in taps.map(\.record) where !marks.contains(maker.links.mark(tap.id)) {
            await make(tap) { try await maker.ensure(tap) }
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
