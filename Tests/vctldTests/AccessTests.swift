// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Testing
import VctlAPI

@testable import vctld

@Suite struct AccessTests {
    private func peer(_ uid: uid_t, _ groups: Set<gid_t>) -> Peer { Peer(uid: uid, pid: 1, groups: groups) }

    @Test func withoutAMappingTheSocketDecides() {
        let policy = AccessPolicy(Configuration.Access(), daemonUser: 500)
        #expect(policy.role(of: peer(1000, [1000]), on: .readWrite) == .admin)
        #expect(policy.role(of: peer(1000, [1000]), on: .readOnly) == .viewer)
        #expect(policy.role(of: peer(0, [0]), on: .readOnly) == .viewer)
    }

    @Test func groupsGiveTheHighestRole() {
        let policy = AccessPolicy(
            Configuration.Access(
                admin: ["root"], operators: ["daemon"], viewer: ["sys", "no-such-group-here"]),
            daemonUser: 500)
        #expect(policy.missing == ["no-such-group-here"])
        #expect(policy.role(of: peer(1000, [0, 1]), on: .readWrite) == .admin)
        #expect(policy.role(of: peer(1000, [1, 3]), on: .readWrite) == .operate)
        #expect(policy.role(of: peer(1000, [3]), on: .readWrite) == .viewer)
        #expect(policy.role(of: peer(1000, [77]), on: .readWrite) == nil)
        #expect(policy.role(of: peer(500, []), on: .readWrite) == .admin)
        #expect(policy.role(of: peer(0, []), on: .readWrite) == .admin)
    }

    @Test func theKernelSaysWhoIsThere() throws {
        var ends: [Int32] = [0, 0]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { ends.forEach { close($0) } }
        let peer = try #require(Peer(socket: ends[0]))
        #expect(peer.uid == getuid())
        #expect(peer.pid == getpid())
        #expect(peer.groups.contains(getgid()))
        #expect(UserNames().name(of: 0) == "root")
        #expect(Groups.id(of: "no-such-group-here") == nil)
    }

    @Test func aStateDirectoryHasOneDaemon() throws {
        let path = "/tmp/vctld-lock-\(UUID().uuidString)/state"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let first = try StateLock(path: path)
        let error = #expect(throws: StartError.self) { _ = try StateLock(path: path) }
        #expect(error?.description.contains("pid \(getpid())") == true)
        withExtendedLifetime(first) {}
    }
}
