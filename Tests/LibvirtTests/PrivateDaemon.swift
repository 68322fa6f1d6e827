// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Libvirt

/// A libvirtd of our own, without privileges, on its own socket and with its own directories.
///
/// Its test driver keeps nothing over a restart; its storage driver works on real files.
final class PrivateDaemon {
    let directory: String
    private var process: Process?

    var socket: String { "\(directory)/run/libvirt/libvirt-sock" }
    var testURI: String { "test+unix:///default?socket=\(socket)" }
    var storageURI: String { "storage+unix:///session?socket=\(socket)" }
    var isRunning: Bool { process?.isRunning == true }

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
        let process = Process()
        let command = ["libvirtd"]
        let nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = geteuid() == 0 ? nobody + command : command
        process.environment = [
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "\(directory)/home",
            "XDG_RUNTIME_DIR": "\(directory)/run", "XDG_CONFIG_HOME": "\(directory)/config",
            "XDG_CACHE_HOME": "\(directory)/cache", "XDG_DATA_HOME": "\(directory)/data",
        ]
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
        let uri = testURI
        let serves = await eventually { (try? await Connection.open(uri: uri)) != nil }
        #expect(serves, "libvirtd does not serve")
    }

    /// Ends it, and waits until it is gone, so that the next one finds its locks free.
    func stop(_ signal: Int32 = SIGKILL) async {
        guard let process else { return }
        kill(process.processIdentifier, signal)
        let gone = await eventually { !process.isRunning }
        #expect(gone)
        self.process = nil
    }

    func pause() {
        process.map { _ = kill($0.processIdentifier, SIGSTOP) }
    }

    func resume() {
        process.map { _ = kill($0.processIdentifier, SIGCONT) }
    }

    func close() async {
        resume()
        await stop()
        try? FileManager.default.removeItem(atPath: directory)
    }
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
