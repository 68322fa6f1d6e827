// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// What keeps a volume from being changed or read from. Each is asked when a request is accepted, and again
/// right before the change.
struct VolumeGuards: Sendable {
    let environment: VMEnvironment

    /// The one VM that has it as a disk, and is off.
    /// - Throws: ``Problem`` `volume.inUse` where it runs, is suspended, or somebody else needs the volume,
    ///   too.
    @discardableResult
    func refuseResize(_ path: String, _ name: VolumeName, to bytes: Int64) async throws -> VolumeUser? {
        let users = try await VolumeUsers(environment: environment).of(path, name)
        if let user = users.first(where: { $0.isActive && $0.target != nil }), let target = user.target {
            throw Problem(
                .volumeInUse,
                "volume \(shown(name.full)) is disk \(shown(target)) of VM \(shown(user.vm)), which runs or"
                    + " is suspended",
                hint: "vctl vm disk resize \(shown(user.vm)) \(shown(target)) \(bytes)")
        }
        if let reader = users.first(where: { $0.target == nil }) ?? users.dropFirst().first {
            throw VolumeUsers.problem(name.full, reader)
        }
        let user = users.first
        try await VolumeUsers(environment: environment).refuseNeeded([path], except: user?.id)
        return user
    }

    /// The same for what shall read from no other file any more.
    /// - Throws: ``Problem`` `volume.inUse`; `volume.state` where the VM's definition names that file, or
    ///   there are snapshots in the volume.
    func refuseFlatten(_ path: String, _ name: VolumeName, to bytes: Int64) async throws -> VolumeUser? {
        let user = try await refuseResize(path, name, to: bytes)
        try await Self.refuseSnapshots(path, name, "would lose what they read from the other file")
        if let user, user.namesBacking {
            throw Problem(
                .volumeState,
                "the definition of VM \(shown(user.vm)) says by itself what volume \(shown(name.full)) reads"
                    + " from",
                hint: "virsh edit \(shown(user.vm)) and remove <backingStore> of the disk")
        }
        return user
    }

    /// QEMU's tools look after what the disk is now, and not after what snapshots in it hold.
    /// - Throws: ``Problem`` `volume.state`.
    static func refuseSnapshots(_ path: String, _ name: VolumeName, _ fate: String) async throws {
        let count = try await Blocking.run { try ImageProbe(path: path).qcow2?.internalSnapshots ?? 0 }
        guard count > 0 else { return }
        throw Problem(
            .volumeState,
            "volume \(shown(name.full)) has \(count) snapshot\(count == 1 ? "" : "s") in it, which \(fate)",
            hint: "qemu-img snapshot -l \(shown(path)) lists them, and -d deletes one")
    }

    /// - Throws: ``Problem`` `volume.inUse` where a VM opens it as something else by now.
    static func refuseOther(_ user: VolumeUser?, than format: DiskFormat, _ fullName: String) throws {
        guard let user, let opened = user.format, opened != format.rawValue else { return }
        throw Problem(
            .volumeInUse,
            "volume \(shown(fullName)) is \(format.rawValue), and VM \(shown(user.vm)) opens it as"
                + " \(shown(opened))",
            hint: "vctl vm disk list \(shown(user.vm))")
    }

    /// - Throws: ``Problem`` `volume.inUse` where QEMU has it open, or it has a second name; `volume.state`
    ///   where it is another file by now.
    @available(*, noasync, message: "it waits for the disk: call it in Blocking.run")
    static func refuseBusy(_ file: KnownFile) throws { _ = try ImageLock(file, for: .write) }

    /// The VM that has it as a disk, and is off.
    /// - Parameter forGood: what is made reads from it from now on, so that nobody may write to it.
    /// - Throws: ``Problem`` `volume.inUse`.
    @discardableResult
    func refuseReading(_ volume: Volume, forGood: Bool) async throws -> VolumeUser? {
        let users = try await VolumeUsers(environment: environment).of(volume.path, volume.called)
        let owners = users.filter { $0.target != nil }
        if let user = owners.first(where: { $0.isActive || forGood }) {
            var problem = VolumeUsers.problem(volume.fullName, user)
            if user.isActive {
                problem.hint = "vctl vm stop \(shown(user.vm)); or vctl vm clone \(shown(user.vm))"
            }
            throw problem
        }
        return owners.first
    }

    /// - Throws: ``Problem`` `request.invalid` where data stand behind `bytes`, `volume.state` where there
    ///   are snapshots in it.
    static func refuseLoss(of image: QemuImg.Image, _ name: VolumeName, at bytes: Int64) async throws {
        if image.format == .qcow2 { try await refuseSnapshots(image.path, name, "may be larger") }
        let end = try await QemuImg.dataEnd(image)
        guard bytes < end else { return }
        let problem = "its data take the first \(ByteCount.human(end)); no less"
        throw Problem(
            .requestInvalid, "sizeBytes: \(problem)", errors: [FieldProblem("sizeBytes", problem)])
    }

    /// Whoever opens a qcow2 opens all that it reads from, too.
    /// - Parameter isKnown: whether anybody but the file says that it is a qcow2. What was a raw disk until
    ///   its VM was gone looks the same, and names what a guest likes: volumes of others, too.
    /// - Throws: ``Problem`` `image.backingFile` where one of these is neither a volume nor an image, is no
    ///   plain file, has its data in another file, or has no format that was said.
    func refuseForeignBacking(
        _ path: String, _ fullName: String, _ format: DiskFormat, isKnown: Bool = true
    ) async throws {
        guard format == .qcow2 else { return }
        let files = try await environment.looks.ask(path) { try VolumeChain.files(of: path, fullName) }
        let (volumes, unknown, raw) = try await environment.inventory.read { db in
            let volumes = try files.filter { try ImageStore.name(db, path: $0.path) == nil }
            let unknown = try volumes.first { try !VolumeStore.isVolume(db, path: $0.path) }
            return (volumes, unknown, Set(try VolumeStore.rawPaths(db).map { ExactName($0) }))
        }
        if let unknown {
            throw VolumeChain.refusal(
                fullName, path, "reads from \(shown(unknown.path)), which is neither a volume nor an image")
        }
        // What a guest wrote into a raw volume must not be taken for the beginning of another format.
        if let file = files.first(where: { $0.format != .raw && raw.contains(ExactName($0.path)) }) {
            throw VolumeChain.refusal(
                fullName, path, "reads from the raw volume \(shown(file.path)) as \(file.format.rawValue)")
        }
        if !isKnown, let volume = volumes.first {
            throw VolumeChain.refusal(
                fullName, path,
                "reads from \(shown(volume.path)), as nobody but its own first bytes say: a guest may have"
                    + " written them",
                "--force takes it at its word; qemu-img info \(shown(path))")
        }
    }
}

/// What a qcow2 reads from, as the files themselves say it.
enum VolumeChain {
    /// The real paths and formats of the files behind one, the nearest first.
    /// - Throws: ``Problem`` `image.backingFile`.
    static func files(of path: String, _ fullName: String) throws -> [QemuImg.Image] {
        var found: [QemuImg.Image] = []
        var next: String? = path
        while let file = next {
            let header = try ImageProbe(path: file).qcow2
            if header?.hasDataFile ?? false || header?.dataFile != nil {
                throw refusal(fullName, path, "has data in another file than \(shown(file))")
            }
            guard let image = try backing(of: file, fullName, path) else { break }
            guard found.count < limit, !found.contains(where: { ExactName($0.path) == ExactName(image.path) })
            else {
                throw refusal(fullName, path, "reads from itself, or from too many files")
            }
            found.append(image)
            next = image.format == .qcow2 ? image.path : nil
        }
        return found
    }

    private static let limit = 200

    private static func backing(of file: String, _ fullName: String, _ path: String) throws -> QemuImg.Image?
    {
        guard let reference = try Qcow2Header.references(ofFileAt: file).first else { return nil }
        let name = reference.name
        guard name.rest(after: "json:") == nil, let base = BackingChain.resolve(name, from: file).first else {
            throw refusal(fullName, path, "reads from \(shown(name)), which is no plain file")
        }
        guard let said = reference.format, let format = DiskFormat(rawValue: said) else {
            throw refusal(
                fullName, path,
                "does not say which format \(shown(base)) has",
                "qemu-img rebase -u -b \(shown(base)) -F FORMAT \(shown(file))")
        }
        return .init(path: RealPath.of(base), format: format)
    }

    static func refusal(_ fullName: String, _ path: String, _ what: String, _ hint: String? = nil) -> Problem
    {
        Problem(
            .imageBackingFile, "\(shown(fullName)) \(what)",
            hint: hint ?? "qemu-img info --backing-chain \(shown(path))")
    }
}
