// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// Files of the host that a request names: only for admins, only inside the allowed folders, symbolic links
/// resolved first.
struct HostPaths: Sendable {
    let allowed: [String]

    /// The real path of an existing file or block device that the caller may use.
    /// - Throws: ``Problem`` `permission.denied`, `path.forbidden` or `path.notFound`.
    func resolve(_ path: String, field: String, caller: Caller) throws -> String {
        guard caller.role == .admin else {
            throw Problem(.permissionDenied, "\(field): only an admin may name files of the host")
        }
        guard let resolved = realpath(path, nil) else {
            throw Problem(
                .pathNotFound, "\(field): there is no \(shown(path)) on the host",
                errors: [FieldProblem(field, "no such file")])
        }
        defer { free(resolved) }
        let real = String(cString: resolved)
        let roots = allowed.map(RealPath.of)
        guard roots.contains(where: { real.hasPrefix($0 == "/" ? "/" : $0 + "/") }) else {
            throw Problem(
                .pathForbidden, "\(field): \(shown(real)) is outside the allowed folders",
                hint: "add its folder to storage.allowed_paths in /etc/vctl/vctld.toml and restart vctld")
        }
        var status = stat()
        guard stat(real, &status) == 0, [S_IFREG, S_IFBLK].contains(status.st_mode & S_IFMT) else {
            throw Problem(.pathForbidden, "\(field): \(shown(real)) is neither a file nor a block device")
        }
        return real
    }

    /// Whether a resolved path is a block device.
    static func isBlockDevice(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFBLK
    }
}
