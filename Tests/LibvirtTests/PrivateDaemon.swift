// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Testing

@testable import Libvirt

/// A libvirtd of our own, without privileges, on its own socket and with its own directories.
///
/// Its test driver keeps nothing over a restart; its storage driver works on real files.
final class PrivateDaemon {
    let directory: String
    private var process: pid_t?

    var socket: String { "\(directory)/run/libvirt/libvirt-sock" }
    var testURI: String { "test+unix:///default?socket=\(socket)" }
    var storageURI: String { "storage+unix:///session?socket=\(socket)" }

    init() throws {
        directory = "/tmp/libvirt-tests-\(UUID().uuidString.prefix(8))"
        for folder in ["run", "home", "config", "cache", "data"] {
            try FileManager.default.createDirectory(
                atPath: "\(directory)/\(folder)", withIntermediateDirectories: true)
            try chown("\(directory)/\(folder)")
        }
    }

    /// libvirtd as root would be the system's one: we run it as `nobody`.
    private func chown(_ path: String) throws {
        guard geteuid() == 0 else { return }
        let account = try #require(getpwnam("nobody"))
        #expect(Glibc.chown(path, account.pointee.pw_uid, account.pointee.pw_gid) == 0)
    }

    func start() async throws {
        process = try spawn()
        let uri = testURI
        let serves = await eventually { (try? await Connection.open(uri: uri)) != nil }
        #expect(serves, "libvirtd does not serve")
    }

    /// Not Foundation's `Process`: it takes a child for running as long as any other holds its descriptors.
    private func spawn() throws -> pid_t {
        let nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        let arguments = ["env", "-C", "/"] + (geteuid() == 0 ? nobody : []) + ["libvirtd"]
        let environment = [
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=\(directory)/home",
            "XDG_RUNTIME_DIR=\(directory)/run", "XDG_CONFIG_HOME=\(directory)/config",
            "XDG_CACHE_HOME=\(directory)/cache", "XDG_DATA_HOME=\(directory)/data",
        ]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [0, 1, 2] as [Int32] {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Swift's threads block signals, and a child would inherit that.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var child = pid_t()
        let result = withStrings(arguments) { arguments in
            withStrings(environment) {
                posix_spawn(&child, "/usr/bin/env", &actions, &attributes, arguments, $0)
            }
        }
        try #require(result == 0)
        return child
    }

    /// Ends it, and waits until it is gone, so that the next one finds its locks free.
    func stop(_ signal: Int32 = SIGKILL) async {
        guard let child = process else { return }
        kill(child, signal)
        let gone = await eventually { waitpid(child, nil, WNOHANG) == child }
        #expect(gone)
        process = nil
    }

    /// How many connections to its socket there are, by the kernel's knowledge.
    func clients() throws -> Int {
        let table = try String(contentsOfFile: "/proc/net/unix", encoding: .utf8)
        let mine = table.split(separator: "\n").filter { $0.hasSuffix(" \(socket)") }
        // The sixth column is the state: 1 listens, 3 is connected.
        return mine.count { $0.split(separator: " ")[5] == "03" }
    }

    func pause() {
        process.map { _ = kill($0, SIGSTOP) }
    }

    func resume() {
        process.map { _ = kill($0, SIGCONT) }
    }

    func close() async {
        resume()
        await stop()
        try? FileManager.default.removeItem(atPath: directory)
    }
}

/// Lends texts as C's null-terminated array of strings.
private func withStrings<T>(_ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> T) -> T {
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
}

/// Runs `body` with a running daemon, and removes it with everything it made.
func withPrivateDaemon(_ body: (PrivateDaemon) async throws -> Void) async throws {
    let daemon = try PrivateDaemon()
    do {
        try await daemon.start()
        try await body(daemon)
    } catch {
        await daemon.close()
        throw error
    }
    await daemon.close()
}
