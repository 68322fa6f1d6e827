// SPDX-License-Identifier: Apache-2.0
import Glibc
import VctlAPI

/// Decides everything about a new pool, and refuses what the host or another pool has already.
struct PoolPlanner: Sendable {
    let environment: VMEnvironment

    private var places: PoolPlaces { PoolPlaces(environment) }

    /// - Throws: ``Problem`` `path.forbidden`, `pool.overlap`.
    func plan(_ create: PoolCreate, caller: Caller) async throws -> PoolPlan {
        let wanted = create.target ?? create.source ?? ""
        let (target, missing) = try await environment.looks.ask(wanted) { [places] in
            let place = try Self.place(wanted)
            try places.refuseForbidden(place.target)
            return place
        }
        try await refuseOverlap(target)
        var mark = KeptPool(id: ObjectID(), name: create.name.rawValue)
        (mark.labels, mark.protected) = (create.labels ?? [:], create.protected ?? false)
        (mark.createdAt, mark.creator) = (.now, caller.user ?? "uid \(caller.uid)")
        mark.folders = missing
        return PoolPlan(mark: mark, target: target)
    }

    /// The real path of a directory, and which of its folders have to be made.
    private static func place(_ wanted: String) throws -> (target: String, missing: [String]) {
        let parts = wanted.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
        let path = "/" + parts.joined(separator: "/")
        try refuseLink(path)
        // What is there is resolved; behind that there can be no links.
        var count = parts.count
        while count > 0, !exists("/" + parts[..<count].joined(separator: "/")) { count -= 1 }
        let base = RealPath.of("/" + parts[..<count].joined(separator: "/"))
        var (target, missing): (String, [String]) = (base == "/" ? "" : base, [])
        for part in parts[count...] {
            target += "/\(part)"
            missing.append(target)
        }
        guard missing.isEmpty == false || isFolder(target) else { throw noFolder(path) }
        guard count == parts.count || isFolder(base) else { throw noFolder(base) }
        return (target, missing)
    }

    private static func noFolder(_ path: String) -> Problem {
        Problem(
            .pathForbidden, "target: \(shown(path)) is no directory", hint: "ls -ld \(shown(path))")
    }

    private static func refuseLink(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else { return }
        throw Problem(
            .pathForbidden, "target: \(shown(path)) is a symbolic link, which could lead elsewhere later",
            hint: "say where it leads: \(shown(RealPath.of(path)))")
    }

    /// One file in two pools would have two names.
    private func refuseOverlap(_ target: String) async throws {
        let pools = try await environment.inventory.read { try PoolStore.all($0).map { try $0.value() } }
        for pool in pools {
            guard let other = pool.target, other.isAbsolute, !other.isBelow("/dev") else { continue }
            // A server that does not answer would hold up every new pool.
            let isAlive = pool.state != .unknown
            let overlaps = try await environment.looks.ask(other) {
                let other = isAlive ? RealPath.of(other) : other
                return PoolPlaces.overlap(other, target, looks: isAlive)
            }
            guard overlaps else { continue }
            throw Problem(
                .poolOverlap,
                "\(shown(target)) overlaps with \(shown(other)), the directory of pool \(shown(pool.name))",
                hint: "vctl pool show \(shown(pool.name))")
        }
    }

    private static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
