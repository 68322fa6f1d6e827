// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import VctlAPI

extension VMDiskOperation.Change {
    /// The file of a disk that was there before.
    fileprivate var existingDisk: String? {
        if case .add(let disk, nil, _) = self { disk.path } else { nil }
    }
}

extension VMService {
    /// Adds a disk, to a running VM at once.
    public func addDisk(_ reference: Reference, _ add: VMDiskAdd, _ context: RequestContext) async throws
        -> Accepted
    {
        try VMRules.refuse(Self.problems(add))
        return try await change(reference, context) { row, vm in
            guard vm.disks.count < Limits.disks else {
                throw Problem(
                    .vmState, "VM \(shown(row.name)) has \(Limits.disks) disks, the most that there can be")
            }
            let connection = try environment.hypervisor.connection()
            let planner = DiskPlanner(environment: environment, connection: connection)
            let plan = try await planner.addition(add, to: vm, caller: context.caller)
            let disk = plan.disks[0]
            let sentence = "add \(disk.target): \(disk.path ?? "an empty drive"), \(disk.format.rawValue)"
            return (.add(disk, volume: plan.volumes.first, pool: plan.pool), [sentence], plan.claims)
        }
    }

    /// Takes a disk away, with its file where that was made for the VM and is not to be kept.
    public func removeDisk(
        _ reference: Reference, _ target: String, keepDisks: Bool, _ context: RequestContext
    ) async throws -> Accepted {
        try await change(reference, context) { row, vm in
            let disk = try Self.disk(target, of: vm)
            guard disk.role != "root" || context.force else {
                throw Problem(
                    .vmProtected, "\(target) is what VM \(shown(row.name)) boots from",
                    hint: "vctl vm disk remove \(shown(row.name)) \(target) --force")
            }
            var alone = vm
            alone.disks = [disk]
            let files = try await keepDisks ? [] : ownDisks(of: alone)
            let keeping = "vctl vm disk remove \(shown(row.name)) \(target) --keep-disks"
            try await refuseRead(files, of: row, keeping, context)
            let kept = disk.path.map { files.contains($0) ? [] : ["keep \($0)"] } ?? []
            return (
                .remove(target: target, files: files, force: context.force),
                ["detach \(target)"] + files.map { "remove \($0)" } + kept, []
            )
        }
    }

    /// Makes a disk larger, a running guest's too.
    public func resizeDisk(
        _ reference: Reference, _ target: String, _ resize: VMDiskResize, _ context: RequestContext
    ) async throws -> Accepted {
        try await change(reference, context) { row, vm in
            let disk = try Self.disk(target, of: vm)
            guard let path = disk.path, let format = disk.format.flatMap(DiskFormat.init(rawValue:)),
                disk.device == "disk", !disk.readOnly
            else {
                throw Problem(.vmState, "\(target) of VM \(shown(row.name)) has no size of its own")
            }
            let now = try await size(of: disk, path, format, row.id)
            let bytes = resize.sizeBytes.bytes
            guard bytes >= now, bytes % 512 == 0 else {
                let problem = "at least what it has, \(ByteCount.human(now)), and a multiple of 512 bytes"
                throw Problem(
                    .requestInvalid, "sizeBytes: \(problem)", errors: [FieldProblem("sizeBytes", problem)])
            }
            let sentence = "grow \(target) from \(ByteCount.human(now)) to \(ByteCount.human(bytes))"
            return (.resize(target: target, path: path, format: format, bytes: bytes), [sentence], [])
        }
    }

    /// Of a running guest's disk by QEMU, which has the file locked.
    private func size(
        of disk: VM.Disk, _ path: String, _ format: DiskFormat, _ id: ObjectID
    ) async throws -> Int64 {
        let domain = try await DomainEffects(environment: environment).existing(id)
        do {
            guard try await domain.isActive() else {
                return try await QemuImg.info(.init(path: path, format: format)).virtualSizeBytes
            }
            return Int64(clamping: try await domain.blockInfo(disk.target).capacity)
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
    }

    /// Puts an ISO into a drive, or takes out what is in it.
    public func setMedium(
        _ reference: Reference, _ target: String, _ path: String?, _ context: RequestContext
    ) async throws -> Accepted {
        try await change(reference, context) { row, vm in
            let disk = try Self.disk(target, of: vm)
            guard disk.device == "cdrom" || disk.device == "floppy" else {
                throw Problem(.vmState, "\(target) of VM \(shown(row.name)) is no drive")
            }
            let paths = HostPaths(allowed: environment.allowedPaths)
            let real = try path.map { try paths.resolve($0, field: "path", caller: context.caller) }
            let sentence = real.map { "put \($0) into \(target)" } ?? "take out what is in \(target)"
            return (.medium(target: target, path: real, force: context.force), [sentence], [])
        }
    }

    private func change(
        _ reference: Reference, _ context: RequestContext,
        _ decide: (VMRow, VM) async throws -> (VMDiskOperation.Change, [String], [Claim])
    ) async throws -> Accepted {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        try await observeFirst(reference)
        let (row, vm) = try await managed(reference, context)
        let (change, sentences, more) = try await decide(row, vm)
        let request = VMDiskOperation.Request(vm: row.reference, change: change)
        let path = change.existingDisk
        let claims =
            Claim.exclusive(row.id, .definition, .disks) + Claim.named([path].compactMap(\.self)) + more
        return try await act(VMDiskOperation.self, request, claims, row, context, sentences) { transaction in
            if let path { try DiskUsers.refuse(path, transaction.db) }
        }
    }

    private static func disk(_ target: String, of vm: VM) throws -> VM.Disk {
        if let disk = vm.disks.first(where: { $0.target == target }) { return disk }
        let known = vm.disks.map(\.target).joined(separator: ", ")
        throw Problem(
            .diskNotFound, "VM \(shown(vm.name)) has no disk \(shown(target)); it has \(known)",
            hint: "vctl vm disk list \(shown(vm.name))")
    }

    private static func problems(_ add: VMDiskAdd) -> [FieldProblem] {
        guard let path = add.path else { return VMRules.problems(add.spec, "") }
        var problems: [FieldProblem] = []
        if !path.hasPrefix("/") || path.utf8.count > Limits.path || !Limits.isPlain(path) {
            problems.append(FieldProblem("path", "an absolute path on the host"))
        }
        let given: [(String, Any?)] = [
            ("sizeBytes", add.sizeBytes), ("pool", add.pool), ("format", add.format),
            ("preallocation", add.preallocation),
        ]
        for (field, value) in given where value != nil {
            problems.append(FieldProblem(field, "this is for a new disk, and path names an existing one"))
        }
        return problems
    }
}
