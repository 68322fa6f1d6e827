// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI
import VirtXML

@testable import VctlCore

struct StorageFindingsTests {
    // MARK: QEMU's user

    private let dac = """
        <capabilities><host>
          <secmodel><model>apparmor</model><doi>0</doi></secmodel>
          <secmodel>
            <model>dac</model><doi>0</doi>
            <baselabel type='kvm'>+64055:+107</baselabel><baselabel type='qemu'>+64055:+107</baselabel>
          </secmodel>
        </host></capabilities>
        """

    @Test func libvirtSaysWhomQEMURunsAs() throws {
        let tree = try HostTree(["/etc/libvirt/qemu.conf": "user = \"nobody\"\n"])
        let configuration = QemuConfiguration(tree.files)
        let user = try #require(QemuUser(try CapabilitiesXML(parsing: dac), configuration))
        #expect(user.uid == 64055 && user.gid == 107)
        #expect(QemuUser(nil, configuration)?.name == "nobody")
        let silent = try CapabilitiesXML(parsing: "<capabilities><host/></capabilities>")
        #expect(QemuUser(silent, configuration)?.name == "nobody")
    }

    @Test func theConfigurationIsReadAsLibvirtReadsIt() throws {
        let tree = try HostTree([
            "/etc/libvirt/qemu.conf": """
            #user = "commented"

            group="kvm"
            user = "+0"
            user = "nobody"
            dynamic_ownership = 0

            """
        ])
        let configuration = QemuConfiguration(tree.files)
        #expect(configuration.value("group") == "kvm" && configuration.value("dynamic_ownership") == "0")
        #expect(configuration.value("namespaces") == nil)
        #expect(QemuUser(nil, configuration)?.name == "root")
    }

    // MARK: the way to disks

    @Test func everyFolderOnTheWayIsOne() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder("real/deep"), withIntermediateDirectories: true)
        symlink(folder("real"), folder("link"))
        let steps = AccessFindings.steps(to: folder("link/deep"))
        #expect(steps.first == "/tmp")
        #expect(
            steps.suffix(4) == [folder("link"), folder("link/deep"), folder("real"), folder("real/deep")])
    }

    private func access(
        _ path: String, _ user: QemuUser?, _ configuration: [String: String] = [:]
    ) async throws -> [Note] {
        let tree = try HostTree(configuration)
        return try await AccessFindings(
            files: tree.files, user: { user },
            folders: { [DiskFolder(what: "pool default", path: path)] }
        ).notes()
    }

    @Test(.enabled(if: geteuid() == 0, "only root can take on another user's rights"))
    func aClosedFolderIsNamedAndTheHintOpensIt() async throws {
        let folder = try TemporaryFolder()
        chmod(folder.path, 0o755)
        try FileManager.default.createDirectory(
            atPath: folder("closed/images"), withIntermediateDirectories: true)
        chmod(folder("closed/images"), 0o755)
        let nobody = try #require(QemuUser(named: "nobody"))
        #expect(try await access(folder("closed/images"), nobody).map(\.status) == [.ok])
        chmod(folder("closed"), 0o700)
        let notes = try await access(folder("closed/images"), nobody)
        #expect(notes.map(\.status) == [.critical])
        #expect(
            notes[0].message.contains("through \(folder("closed")), on the way to \(folder("closed/images"))")
        )
        let hint = try #require(notes[0].hint)
        try await Tool("/bin/sh", ["-c", hint]).run()
        #expect(try await access(folder("closed/images"), nobody).map(\.status) == [.ok])
    }

    @Test(.enabled(if: geteuid() == 0, "only root can take on another user's rights"))
    func anAccessListCounts() async throws {
        guard Tool.locate("setfacl") != nil else { return }
        let folder = try TemporaryFolder()
        chmod(folder.path, 0o755)
        mkdir(folder("closed"), 0o700)
        let nobody = try #require(QemuUser(named: "nobody"))
        try await Tool("setfacl", ["-m", "u:nobody:x", folder("closed")]).run()
        #expect(try await access(folder("closed"), nobody).map(\.status) == [.ok])
    }

    @Test func aFolderThatIsGoneAndDisksThatAreNotHandedOver() async throws {
        let folder = try TemporaryFolder()
        let nobody = try #require(QemuUser(named: "nobody"))
        let gone = try await access(folder("gone"), nobody)
        #expect(gone.map(\.status) == [.critical] && gone[0].message.contains("is not there"))
        let kept = try await access("/", nobody, ["/etc/libvirt/qemu.conf": "dynamic_ownership = 0\n"])
        #expect(kept.map(\.status) == [.warning] && kept[0].message.contains("dynamic_ownership"))
        #expect(try await access("/", QemuUser(named: "root"), [:]).map(\.status) == [.ok])
        #expect(try await access("/", nil).map(\.status) == [.unknown])
    }

    @Test(.enabled(if: geteuid() == 0, "only root can take on another user's rights"))
    func kvmHasToBeOpenForQEMUsUser() async throws {
        let folder = try TemporaryFolder()
        chmod(folder.path, 0o755)
        try folder.write("", to: "kvm")
        chmod(folder("kvm"), 0o660)
        let nobody = try #require(QemuUser(named: "nobody"))
        let check = KVMAccessFindings(device: folder("kvm"), user: { nobody })
        #expect(try await check.notes().map(\.status) == [.critical])
        chmod(folder("kvm"), 0o664)
        #expect(try await check.notes().map(\.status) == [.critical])
        chmod(folder("kvm"), 0o666)
        #expect(try await check.notes().map(\.status) == [.ok])
        #expect(
            try await KVMAccessFindings(device: folder("none"), user: { nobody }).notes()[0].status == .ok)
    }

    // MARK: room

    @Test(arguments: [
        (1000, 500, FindingStatus.ok), (1000, 21, .ok), (1000, 19, .warning), (1000, 2, .warning),
        (100, 11, .ok), (100, 9, .warning), (100, 0, .critical), (8, 2, .ok), (8, 1, .ok),
    ])
    func roomIsJudgedByHowMuchThereCouldBe(_ total: Int64, _ free: Int64, _ status: FindingStatus) {
        let room = SpaceFindings.Room(total: total << 30, free: free << 30)
        #expect(SpaceFindings.note(room, [DiskFolder(what: "x", path: "/x")]).status == status)
    }

    @Test func aTableOfFilesCanBeFullToo() {
        let room = SpaceFindings.Room(total: 100 << 30, free: 50 << 30, files: 1_000_000, freeFiles: 12)
        let note = SpaceFindings.note(room, [DiskFolder(what: "pool a", path: "/a")])
        #expect(note.status == .critical && note.message.contains("12 of 1000000 at /a (pool a)"))
    }

    @Test func foldersOfOneFileSystemAreOneFinding() async throws {
        let folder = try TemporaryFolder()
        mkdir(folder("a"), 0o755)
        mkdir(folder("b"), 0o755)
        let folders =
            ["a", "b", "gone"].map { DiskFolder(what: $0, path: folder($0)) }
            + [DiskFolder(what: "proc", path: "/proc")]
        let notes = try await SpaceFindings(folders: { folders }).notes()
        #expect(notes.count == 2)
        #expect(notes[0].message.hasSuffix("at \(folder("a")) (a), \(folder("b")) (b)"), "\(notes)")
    }
}
