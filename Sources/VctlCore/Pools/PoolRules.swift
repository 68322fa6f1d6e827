// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// What must hold for a request about a pool or a volume by itself.
enum PoolRules {
    static func problems(_ request: PoolCreate) -> [FieldProblem] {
        typeProblems(request) + targetProblems(request) + LabelRules.problems(request.labels ?? [:])
    }

    private static func typeProblems(_ request: PoolCreate) -> [FieldProblem] {
        guard request.type != .dir else { return [] }
        let why = "vctl makes pools of type dir as yet; virsh pool-define makes others, which vctl can adopt"
        return [FieldProblem("type", why)]
    }

    private static func targetProblems(_ request: PoolCreate) -> [FieldProblem] {
        guard request.type == .dir else { return [] }
        guard let target = request.target ?? request.source else {
            return [FieldProblem("target", "say which directory the volumes are to be in")]
        }
        if let source = request.source, source != target {
            return [FieldProblem("source", "a directory is made of nothing else; leave it out")]
        }
        return pathProblem(target).map { [FieldProblem("target", $0)] } ?? []
    }

    /// What is wrong with a directory's path, whatever the host has.
    static func pathProblem(_ path: String) -> String? {
        guard path.isAbsolute, path.utf8.count <= Limits.path, Limits.isPlain(path) else {
            return "an absolute path on the host"
        }
        let parts = path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
        guard !parts.isEmpty, !parts.contains(".."), !parts.contains(".") else {
            return "a directory below /, without . and .. in its path"
        }
        return nil
    }

    static func problems(_ patch: PoolPatch) -> [FieldProblem] {
        LabelRules.problems(patch: patch.labels ?? [:])
    }

    static func problems(_ request: VolumeCreate) -> [FieldProblem] {
        var problems = sizeProblems(request.sizeBytes.bytes)
        let format = request.format ?? .qcow2
        if format != .qcow2, format != .raw {
            problems.append(FieldProblem("format", "a VM's disk is qcow2 or raw"))
        }
        if format == .raw, request.preallocation == .metadata {
            problems.append(FieldProblem("preallocation", "raw has no metadata; use off, falloc or full"))
        }
        if request.name.rawValue.hasSuffix(".partial") {
            problems.append(FieldProblem("name", "names that end in .partial are for what is being made"))
        }
        return problems + LabelRules.problems(request.labels ?? [:])
    }

    static func sizeProblems(_ bytes: Int64) -> [FieldProblem] {
        guard Limits.diskBytes.contains(bytes), bytes % 512 == 0 else {
            let least = ByteCount.human(Limits.diskBytes.lowerBound)
            return [FieldProblem("sizeBytes", "at least \(least), and a multiple of 512 bytes")]
        }
        return []
    }
}
