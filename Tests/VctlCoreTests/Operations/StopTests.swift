// SPDX-License-Identifier: Apache-2.0
import Foundation
import Logging
import Synchronization
import Testing
import VctlAPI

@testable import VctlCore

/// A daemon that stops while operations wait for libvirt: nothing of that is a failure of the work.
struct StopTests {
    private let folder: TemporaryFolder
    private let inventory: Inventory
    private let link = AwayLink()

    init() throws {
        folder = try TemporaryFolder()
        inventory = try Inventory(path: folder("inventory.sqlite"), instance: ObjectID())
    }

    @Test(arguments: [false, true]) func whatWaitsIsResumedByTheNextDaemon(_ goesBack: Bool) async throws {
        let first = engine(fails: goesBack)
        let id = try await accept(first)
        await link.waited()
        await first.stop(grace: 30)
        let left = try await status(id)
        #expect(left == .running, "neither stuck nor rolled back")

        link.comeBack()
        let second = engine(fails: goesBack)
        try await second.resume()
        await second.idle()
        #expect(try await status(id) == (goesBack ? .failed : .succeeded))
        #expect(link.touched == (goesBack ? ["undo"] : ["step"]))
    }

    private func engine(fails: Bool) -> OperationEngine {
        OperationEngine(
            inventory: inventory, kinds: [Patient(link: link, fails: fails)], link: link,
            logger: Logger(label: "stop") { _ in SwiftLogNoOpLogHandler() })
    }

    private func accept(_ engine: OperationEngine) async throws -> ObjectID {
        let requestor = VctlAPI.Operation.Requestor(uid: 0, user: "root", pid: 1)
        let new = try NewOperation(
            Patient.self, Patient.Request(), resources: [], claims: [], requestor: requestor)
        try await inventory.write { try $0.insert(new) }
        engine.launch(new.id)
        return new.id
    }

    private func status(_ id: ObjectID) async throws -> OperationStatus? {
        try await inventory.read { try OperationRecord.load($0, id) }?.status
    }
}

/// An operation whose step, or whose undo, needs libvirt.
private struct Patient: OperationKind {
    static let name = "test.patient"
    struct Request: Codable, Sendable {}
    struct Refused: Error {}

    let link: AwayLink
    let fails: Bool

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        try await journal.step("one", undo: { try link.touch("undo") }) {
            if !fails { try link.touch("step") }
        }
        if fails { throw Refused() }
        return Outcome(nil)
    }
}

/// A libvirt that is away until it is told to come back.
private final class AwayLink: LibvirtLink {
    struct Away: Error {}
    private let state = Mutex((isBack: false, waits: 0, touched: [String]()))

    var touched: [String] { state.withLock { $0.touched } }

    func touch(_ what: String) throws {
        try state.withLock { state in
            guard state.isBack else { throw Away() }
            state.touched.append(what)
        }
    }

    func comeBack() { state.withLock { $0.isBack = true } }

    func waited() async {
        _ = await eventually { state.withLock { $0.waits > 0 } }
    }

    func isLost(_ error: any Error) -> Bool { error is Away }

    func waitUntilConnected() async throws {
        state.withLock { $0.waits += 1 }
        while !state.withLock({ $0.isBack }) { try await Task.sleep(for: .milliseconds(20)) }
    }
}
