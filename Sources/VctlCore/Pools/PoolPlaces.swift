// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// Where pools may be whose files vctl makes and removes. Looks at the folders, and takes two paths to one
/// folder for one, also where it is mounted twice.
struct PoolPlaces: Sendable {
    private let allowed: [String]
    private let state: StateDirectory

    init(_ environment: VMEnvironment) { (allowed, state) = (environment.allowedPaths, environment.state) }

    /// - Parameter target: a real path.
    /// - Throws: ``Problem`` `path.forbidden`.
    func refuseForbidden(_ target: String) throws {
        guard allowed.contains(where: { Self.isIn(RealPath.of($0), target) }) else {
            throw Problem(
                .pathForbidden, "target: \(shown(target)) is outside the allowed folders",
                hint: "add its folder to storage.allowed_paths in /etc/vctl/vctld.toml and restart vctld")
        }
        try refuseState(target)
    }

    /// The same of a pool that is there, which may be in the folder that is for the disks of VMs.
    func refuseForbidden(existing target: String) throws {
        let own = RealPath.of(state.volumes)
        if Self.isSame(own, target) { return }
        try refuseForbidden(target)
    }

    private func refuseState(_ target: String) throws {
        let own = RealPath.of(state.path)
        guard Self.isIn(own, target) || Self.isIn(target, own) else { return }
        throw Problem(
            .pathForbidden, "target: \(shown(target)) is or holds vctld's own folder \(shown(own))",
            hint: "choose another directory")
    }

    /// Whether one of two folders is the other, or is in it.
    /// - Parameter looks: whether the first may be looked at, and not only at its name.
    static func overlap(_ one: String, _ other: String, looks: Bool) -> Bool {
        isIn(one, other, looks: looks) || isIn(other, one, looks: looks)
    }

    /// Whether a path is a folder or in it.
    static func isIn(_ folder: String, _ path: String, looks: Bool = true) -> Bool {
        if path == folder || path.isBelow(folder) { return true }
        let mounts = Mounts()
        if let inner = mounts.place(of: path), let outer = mounts.place(of: folder), inner.isIn(outer) {
            return true
        }
        guard looks, let key = FileKey(path: folder) else { return false }
        return RealPath.upwards(from: path).contains { FileKey(path: $0) == key }
    }

    private static func isSame(_ one: String, _ other: String) -> Bool {
        one == other || FileKey(path: one).map { $0 == FileKey(path: other) } ?? false
    }
}

extension PoolService {
    /// - Throws: ``Problem`` `path.forbidden` for a pool of files where vctl makes and removes none.
    func refusePlace(of pool: Pool) async throws {
        let ofFiles: [PoolType] = [.dir, .fs, .nfs]
        guard let type = pool.type, ofFiles.contains(type), let target = pool.target else { return }
        let places = PoolPlaces(environment)
        try await environment.looks.ask(target) {
            try places.refuseForbidden(existing: RealPath.of(target))
        }
    }
}
