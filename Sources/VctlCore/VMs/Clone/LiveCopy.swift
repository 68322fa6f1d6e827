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

    /// How long a guest stays halted for its last writes, and again for the end of the mirrors.
    private static let patience = Duration.seconds(15)

    private func domain() async throws -> Domain {
        try await DomainEffects(environment: environment).existing(source.id)
    }

    // MARK: Copying

    /// Starts the mirrors that are not there yet.
    func begin() async throws {
        let domain = try await domain()
        _ = try await isRunning(domain)
        let mirrors = try await mirrors(domain)
        let live = try DomainXML(parsing: try await domain.xml())
        for disk in disks where mirrors[disk.target] == nil {
            let path = live.disks.first { $0.targetDev == disk.target }?.sourcePath
            guard path == disk.volume.source?.path else {
                throw interrupted("\(disk.target) of VM \(shown(source.name)) is another disk by now")
            }
            var flags: Domain.BlockCopyFlags = [.reuseExternal, .transientJob]
            if disk.volume.source?.backing != nil { flags.insert(.shallow) }
            try await domain.blockCopy(disk.target, to: Self.destination(disk.volume), [:], flags)
        }
    }

    private enum Mirror { case runs, ends }

    /// The disks that are being copied to our files; another job on a disk is not ours.
    private func mirrors(_ domain: Domain) async throws -> [String: Mirror] {
        let live = try DomainXML(parsing: try await domain.xml())
        var mirrors: [String: Mirror] = [:]
        for disk in disks {
            let found = live.disks.first { $0.targetDev == disk.target }?.element.first("mirror")
            guard let found, found.first("source")?[attribute: "file"] == disk.volume.partial else {
                continue
            }
            mirrors[disk.target] = found[attribute: "ready"] == "abort" ? .ends : .runs
        }
        return mirrors
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

    /// A lost connection is none of its ends: QEMU goes on.
    private func job(of disk: ClonePlan.Disk, _ domain: Domain) async throws -> BlockJobInfo {
        do {
            if let job = try await domain.blockJob(disk.target) { return job }
        } catch let error as LibvirtError where Self.meansNoJob(error) {}
        throw ended(disk.target)
    }

    /// The guest is off, or the disk is gone.
    private static func meansNoJob(_ error: LibvirtError) -> Bool {
        error.code == .operationInvalid || error.code == .noDomain || error.code == .invalidArg
    }

    // MARK: The one moment

    /// Whether it runs, or somebody has paused it.
    func isRunning() async throws -> Bool { try await isRunning(domain()) }

    private func isRunning(_ domain: Domain) async throws -> Bool {
        switch try await domain.status().state {
        case .running, .blocked: return true
        case .paused: return false
        case .pmSuspended:
            throw interrupted("VM \(shown(source.name)) is asleep, and could wake in the midst of the copy")
        default:
            throw interrupted("VM \(shown(source.name)) was stopped in the midst of the copy")
        }
    }

    /// Halts the guest, and waits until all that it has written is in the copies.
    /// - Returns: the hypervisor's number of this run of the guest.
    func halt() async throws -> Int32? {
        let domain = try await domain()
        if try await isRunning(domain) { try await domain.suspend() }
        let deadline = ContinuousClock.now + Self.patience
        repeat {
            guard ContinuousClock.now < deadline else { throw slow("its last writes") }
            // An idle mirror counts anew what it has left only every 100 ms.
            try await Task.sleep(for: .milliseconds(200))
        } while try await !isWhole(domain)
        try await requireHalted(domain)
        return domain.id
    }

    private func isWhole(_ domain: Domain) async throws -> Bool {
        let mirrors = try await mirrors(domain)
        var isWhole = true
        for disk in disks {
            guard mirrors[disk.target] == .runs else { throw ended(disk.target) }
            if try await !job(of: disk, domain).isReady { isWhole = false }
        }
        return isWhole
    }

    private func requireHalted(_ domain: Domain) async throws {
        guard try await isRunning(domain) else { return }
        throw interrupted("VM \(shown(source.name)) was resumed in the midst of the copy")
    }

    /// Ends the mirrors of a guest that is halted: the copies stay as they are then.
    /// - Parameter run: what ``halt()`` returned. Where some have ended since, by a daemon that died, the
    ///   guest must not have run again.
    func finish(_ run: Int32?) async throws {
        let domain = try await domain()
        guard domain.id == run else {
            throw interrupted("VM \(shown(source.name)) was stopped and started in the midst of the copy")
        }
        let left = try await mirrors(domain)
        // None has ended: then it may have run, since a daemon that stops lets it.
        if left.count == disks.count, left.values.allSatisfy({ $0 == .runs }) { _ = try await halt() }
        if let gone = disks.first(where: { left[$0.target] == nil }), try await isRunning(domain) {
            throw ended(gone.target)
        }
        try await requireHalted(domain)
        try await end(domain)
        try await requireHalted(domain)
    }

    /// Without waiting in libvirt, which could not resume the guest meanwhile.
    private func end(_ domain: Domain) async throws {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            let left = try await mirrors(domain)
            if left.isEmpty { return }
            for (target, mirror) in left where mirror == .runs { try await abort(target, domain) }
            guard ContinuousClock.now < deadline else { throw slow("the end of the copy") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// One that has just ended by itself is as good; the next look tells.
    private func abort(_ target: String, _ domain: Domain) async throws {
        do {
            try await domain.abortBlockJob(target, .async)
        } catch let error as LibvirtError where Self.meansNoJob(error) {
            guard try await mirrors(domain)[target] != .runs else { throw error }
        }
    }

    /// Lets a guest run again that was halted.
    func resume() async throws {
        guard let domain = try await environment.hypervisor.domain(source.id),
            try await domain.status().state == .paused
        else { return }
        try await domain.resume()
    }

    /// Gives the mirrors up.
    func cancel() async throws {
        guard let domain = try await environment.hypervisor.domain(source.id), try await domain.isActive()
        else { return }
        do {
            try await end(domain)
        } catch let error as LibvirtError where Self.meansNoJob(error) {
            if try await environment.hypervisor.domain(source.id)?.isActive() ?? false { throw error }
        }
    }

    // MARK: Failures

    private func interrupted(_ detail: String) -> Problem {
        Problem(
            .operationInterrupted, detail, hint: "vctl vm show \(shown(source.name)), and try again")
    }

    private func ended(_ target: String) -> Problem {
        interrupted(
            "the copy of \(target) of VM \(shown(source.name)) ended before it was whole: the VM stopped, the"
                + " storage is full, or somebody ended it")
    }

    private func slow(_ what: String) -> Problem {
        interrupted(
            "the storage is too slow: VM \(shown(source.name)) would have been halted for more than"
                + " \(Self.patience.components.seconds) s for \(what)")
    }
}
