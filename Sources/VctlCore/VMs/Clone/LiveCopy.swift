// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI
import VirtXML

/// Copies disks of a guest that runs, all as they are at one moment: QEMU mirrors each into a file that was
/// made for it, and once all are in step the guest is halted for as long as the last writes take.
///
/// The jobs are QEMU's, and go on while the daemon is away; each call looks first.
struct LiveCopy: Sendable {
    let environment: VMEnvironment
    let source: ObjectReference
    let disks: [ClonePlan.Disk]

    private func domain() async throws -> Domain {
        try await DomainEffects(environment: environment).existing(source.id)
    }

    /// Starts the mirrors that are not there yet.
    func begin() async throws {
        let domain = try await domain()
        let mirrored = try await mirrored(domain)
        for disk in disks where !mirrored.contains(disk.target) {
            var flags: Domain.BlockCopyFlags = [.reuseExternal, .transientJob]
            if disk.volume.source?.backing != nil { flags.insert(.shallow) }
            try await domain.blockCopy(disk.target, to: Self.destination(disk.volume), [:], flags)
        }
    }

    /// The disks that are being copied to our files; another job on a disk is not ours.
    private func mirrored(_ domain: Domain) async throws -> Set<String> {
        let live = try DomainXML(parsing: try await domain.xml())
        let files = Dictionary(uniqueKeysWithValues: disks.map { ($0.target, $0.volume.partial) })
        let ours = live.disks.filter { disk in
            let mirror = disk.element.first("mirror/source")?[attribute: "file"]
            return mirror != nil && mirror == disk.targetDev.flatMap { files[$0] }
        }
        return Set(ours.compactMap(\.targetDev))
    }

    private static func destination(_ volume: NewVolume) -> String {
        var disk = DiskXML()
        disk.type = "file"
        disk.sourceFile = volume.partial
        disk.driverType = volume.format.rawValue
        return Document(root: disk.element).serialized()
    }

    /// Waits until every mirror is in step.
    func wait(_ progress: @Sendable (Operation.Progress) -> Void) async throws {
        let domain = try await domain()
        while true {
            var (done, total, waiting): (UInt64, UInt64, Int) = (0, 0, 0)
            for disk in disks {
                let job = try await job(of: disk, domain)
                done += job.current
                total += job.end
                if !job.isReady { waiting += 1 }
            }
            if waiting == 0 { return }
            progress(.init(phase: "copying", done: Int64(clamping: done), total: Int64(clamping: total)))
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private func job(of disk: ClonePlan.Disk, _ domain: Domain) async throws -> BlockJobInfo {
        if let job = try? await domain.blockJob(disk.target) { return job }
        throw Problem(
            .operationInterrupted,
            "the copy of \(disk.target) of VM \(shown(source.name)) ended before it was whole: the VM stopped, or"
                + " somebody ended it",
            hint: "vctl vm show \(shown(source.name)), and clone it again")
    }

    /// Halts the guest.
    /// - Returns: whether it ran.
    func pause() async throws -> Bool {
        let domain = try await domain()
        guard try await domain.status().state == .running else { return false }
        try await domain.suspend()
        return true
    }

    /// Ends the mirrors of a guest that is halted. What it has written up to now is in the copies then.
    func finish() async throws {
        let domain = try await domain()
        guard try await domain.status().state == .paused else {
            throw Problem(
                .operationInterrupted, "VM \(shown(source.name)) was resumed or stopped in the midst of the copy",
                hint: "clone it again")
        }
        for target in try await mirrored(domain) { try await domain.abortBlockJob(target) }
    }

    func resume() async throws { try await DomainEffects(environment: environment).resume(source.id) }

    /// Gives the mirrors up.
    func cancel() async throws {
        guard let domain = try await environment.hypervisor.domain(source.id), try await domain.isActive() else {
            return
        }
        for target in try await mirrored(domain) { try await domain.abortBlockJob(target) }
    }
}
