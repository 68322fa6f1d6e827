// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Testing

/// Which of the daemon's sockets is used, by somebody who is not root.
@Suite(.enabled(if: getuid() == 0, "another user is needed"))
struct SocketTests {
    private let main: RawServer
    private let readOnly: RawServer

    init() throws {
        let refused = problem(403, "permission.denied")
        main = try RawServer([])
        readOnly = try RawServer([[.request, json("[\(vm())]")], [.request, refused]])
        chmod(main.path, 0o600)
        chmod(readOnly.path, 0o666)
    }

    /// Runs `vctl` as nobody, with both sockets in their usual places.
    private func vctl(_ arguments: [String], environment: [String: String] = [:]) throws -> Program {
        let script = """
            mount -t tmpfs -o mode=755 none /run && mkdir /run/vctld || exit 99
            ln -s "$1" /run/vctld/vctld.sock && ln -s "$2" /run/vctld/vctld-ro.sock || exit 99
            shift 2
            exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
            """
        return try Program.run(
            program: "/usr/bin/unshare",
            ["--mount", "--propagation", "private", "sh", "-c", script, "sh", main.path, readOnly.path]
                + [Program.path] + arguments,
            environment: ["PATH": "/usr/bin:/bin:/usr/sbin:/sbin"].merging(environment) { $1 })
    }

    @Test func whoMayOnlyLookLooksThroughTheReadOnlyOne() throws {
        let list = try vctl(["list", "--format", "name"])
        #expect(list.status == 0 && list.out == "web1\n", "\(list)")
        let start = try vctl(["vm", "start", "web1"])
        #expect(start.status == 5 && start.err == "error: it is so (permission.denied)\n", "\(start)")
        #expect(readOnly.requests.map { $0.prefix(4) } == ["GET ", "POST"])
    }

    @Test func theOtherEndOfSSHDoesSoToo() throws {
        let proxy = try vctl(["proxy"])
        #expect(proxy.out.contains("vctl-proxy 1 connected\n"), "\(proxy)")
        let named = try vctl(["proxy", "--socket", "/run/vctld/vctld.sock"])
        #expect(named.status == 5 && named.out.contains("errno \(EACCES) /run/vctld/vctld.sock"), "\(named)")
    }

    @Test func aSocketThatIsNamedIsTheOne() throws {
        let flag = try vctl(["list", "--socket", "/run/vctld/vctld.sock"])
        let variable = try vctl(["list"], environment: ["VCTL_SOCKET": "/run/vctld/vctld.sock"])
        for result in [flag, variable] { #expect(result.status == 5 && result.out.isEmpty, "\(result)") }
        #expect(readOnly.requests.isEmpty)
    }

    @Test func whoMayUseNeitherIsToldOfBothGroups() throws {
        chmod(readOnly.path, 0o600)
        let list = try vctl(["list"])
        #expect(
            list.status == 5 && list.err.contains("permission denied on the socket /run/vctld/vctld.sock"))
        #expect(list.err.contains("vctl may do everything") && list.err.contains("vctl-ro may look"))
    }
}
