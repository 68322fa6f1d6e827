// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import VctlCore

struct KVMCheckTests {
    /// The guest itself is sound: where KVM fails at it, it is KVM.
    @Test func bootProofComesThroughUnderTCG() async throws {
        #expect(BootProof.sector.count == 512)
        var check = KVMCheck()
        check.deadline = .seconds(60)
        #expect(try await check.boot(accelerator: "tcg"))
    }

    @Test func missingDeviceIsUnusable() async {
        var check = KVMCheck()
        check.device = "/dev/no-such-kvm"
        #expect(await check.verdict() == .unusable(.missing(device: "/dev/no-such-kvm")))
    }

    @Test func hangingGuestIsUnusable() async throws {
        let folder = try TemporaryFolder()
        var check = KVMCheck()
        check.device = "/dev/null"
        check.folder = folder.path
        check.emulator = try program("exec sleep 1000", folder)
        check.deadline = .milliseconds(300)
        #expect(await check.verdict() == .unusable(.hanging))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["qemu"])
    }

    @Test(arguments: [0, 1, 84, 86]) func otherEndsAreUnusable(_ status: Int) async throws {
        let folder = try TemporaryFolder()
        var check = KVMCheck()
        check.device = "/dev/null"
        check.emulator = try program("exit \(status)", folder)
        check.deadline = .seconds(60)
        #expect(await check.verdict() == .unusable(.failing("")))
    }

    @Test func verdictFollowsTheGuest() async throws {
        let folder = try TemporaryFolder()
        var check = KVMCheck()
        check.device = "/dev/null"
        // The real guest, with the real emulator, where only the accelerator is another.
        check.emulator = try program(
            "for word; do shift; [ \"$word\" = kvm ] && word=tcg; [ \"$word\" = host ] && word=max; "
                + "set -- \"$@\" \"$word\"; done; exec qemu-system-x86_64 \"$@\"", folder)
        check.deadline = .seconds(60)
        #expect(await check.verdict() == .usable)
        check.emulator = "no-such-emulator"
        #expect(await check.verdict() == .unusable(.noEmulator("no-such-emulator")))
    }

    private func program(_ script: String, _ folder: TemporaryFolder) throws -> String {
        let path = try folder.write("#!/bin/sh\n\(script)\n", to: "qemu")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return path
    }
}
