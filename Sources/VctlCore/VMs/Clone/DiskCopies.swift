// SPDX-License-Identifier: Apache-2.0
import Libvirt
import Synchronization
import VctlAPI

/// The steps that copy disks of a VM into new files: of one that is off with `qemu-img`, of one that runs
/// with QEMU's mirrors, so that all are as they were at one moment.
struct DiskCopies: Sendable {
    let environment: VMEnvironment
    let source: ObjectReference
    let disks: [ClonePlan.Disk]
    /// Whether the VM ran when the copy was accepted.
    let live: Bool

    private var storage: VolumeMaker { VolumeMaker(environment: environment) }

    func run(_ journal: Journal) async throws {
        guard !disks.isEmpty else { return }
        if live { try await mirror(journal) } else { try await copy(journal) }
    }

    private func copy(_ journal: Journal) async throws {
        let storage = storage
        for (index, disk) in disks.enumerated() {
            let volume = disk.volume
            try await journal.step("disk:\(index)", undo: { try storage.remove(volume) }) {
                try await refuseRunning()
                try await storage.make(volume) { journal.progress($0) }
            }
        }
    }

    /// `qemu-img` would refuse, too, but could not say what to do.
    private func refuseRunning() async throws {
        guard try await DomainEffects(environment: environment).existing(source.id).isActive() else { return }
        throw Problem(
            .vmState, "VM \(shown(source.name)) was started meanwhile", hint: "try again, while it runs")
    }

    private func mirror(_ journal: Journal) async throws {
        let storage = storage
        let copy = LiveCopy(environment: environment, source: source, disks: disks)
        for (index, disk) in disks.enumerated() {
            let volume = disk.volume
            try await journal.step("file:\(index)", undo: { try storage.remove(volume) }) {
                try await storage.prepare(volume)
            }
        }
        try await journal.step("mirror", undo: { try await copy.cancel() }) { try await copy.begin() }
        try await journal.step("wait") { try await copy.wait { journal.progress($0) } }
        try await end(copy, journal)
        for (index, disk) in disks.enumerated() {
            try await journal.step("disk:\(index)") { try storage.publish(disk.volume) }
        }
    }

    /// Ends the mirrors while the guest is halted, and lets it run again if it ran.
    ///
    /// That all copies are whole is journaled before the first mirror ends, for afterwards nothing tells one
    /// that was ended from one that broke off.
    private func end(_ copy: LiveCopy, _ journal: Journal) async throws {
        let ran = try await journal.step("look") { try await copy.isRunning() }
        let pause = Halt(ran)
        do {
            let run = try await journal.step("halt", undo: { try await pause.end(copy) }) {
                try await copy.halt()
            }
            try await journal.step("finish") { try await copy.finish(run) }
            if ran { try await journal.step("resume") { try await copy.resume() } }
            pause.isOver()
        } catch {
            // No guest stays halted for as long as a daemon is away, or its journal is full.
            if journal.failure == nil { try? await pause.end(copy) }
            throw error
        }
    }
}

/// Whether the guest is halted by the copy, and not by somebody else.
private final class Halt: Sendable {
    private let isOurs: Mutex<Bool>

    init(_ isOurs: Bool) { self.isOurs = Mutex(isOurs) }

    func isOver() { isOurs.withLock { $0 = false } }

    /// Lets the guest run again.
    func end(_ copy: LiveCopy) async throws {
        guard isOurs.withLock({ $0 }) else { return }
        try await copy.resume()
        isOver()
    }
}
