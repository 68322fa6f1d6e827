// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import Testing
import VctlAPI
import VirtXML

@testable import VctlCore

struct MachineFindingsTests {
    // MARK: KVM

    private func kvm(_ flags: String, _ verdict: KVMCheck.Verdict) async throws -> Note {
        let tree = try HostTree([
            "/proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu \(flags) sse\nbugs\t\t: spectre_v1\n"
        ])
        return await KVMFindings(files: tree.files, isQemu: true) { verdict }.notes()[0]
    }

    @Test func aGuestThatRanIsAllThatIsAsked() async throws {
        #expect(try await kvm("vmx", .usable) == .ok("a test guest has run under KVM"))
    }

    @Test(arguments: [
        ("vmx", "module", "modprobe kvm_intel"), ("svm", "module", "modprobe kvm_amd"),
        ("vmx hypervisor", "module", "modprobe kvm_intel"),
        ("hypervisor", "this machine is a guest", "host-passthrough"),
        ("de", "neither VT-x nor AMD-V", "firmware"),
    ])
    func aMissingDeviceHasAReason(_ flags: String, _ words: String, _ hint: String) async throws {
        let note = try await kvm(flags, .unusable(.missing(device: "/dev/kvm")))
        #expect(note.status == .warning && note.message.contains("/dev/kvm does not exist"))
        #expect(note.message.contains(words) && note.hint?.contains(hint) == true, "\(note)")
    }

    @Test func aDeviceThatOnlyPretendsIsHiddenFromLibvirt() async throws {
        for reason in [KVMCheck.Reason.hanging, .failing("kvm: no such ioctl")] {
            let note = try await kvm("hypervisor", .unusable(reason))
            #expect(note.status == .warning && note.message.contains("\(reason)"))
            #expect(note.message.contains("its host emulates it badly"))
            #expect(note.hint?.contains("mv /dev/kvm /dev/kvm.off") == true)
        }
        #expect(
            try await kvm("vmx", .unusable(.hanging)).message.contains("this machine is a guest") == false)
    }

    @Test func theReasonIsWhatTheSystemSaid() async throws {
        let note = try await kvm("vmx", .unusable(.closed(device: "/dev/kvm", errno: EACCES)))
        #expect(note.message.contains("/dev/kvm may not be opened"))
        let other = try await kvm("vmx", .unusable(.closed(device: "/dev/kvm", errno: ENODEV)))
        #expect(other.message.contains("No such device"))
    }

    /// The real QEMU at a device that is there and is no KVM.
    @Test func qemusOwnWordsAreTold() async throws {
        var check = KVMCheck()
        check.device = "/dev/null"
        check.deadline = .seconds(60)
        // QEMU itself looks at /dev/kvm; an accelerator that it does not have fails in the same way.
        let folder = try TemporaryFolder()
        check.emulator = try folder.write("#!/bin/sh\nexec qemu-system-x86_64 -accel nonesuch\n", to: "qemu")
        chmod(check.emulator, 0o755)
        let reason = try #require(await check.verdict().reason)
        #expect("\(reason)".contains("nonesuch"), "\(reason)")
    }

    @Test func aMendedKVMIsUsedFromThenOn() async throws {
        let folder = try TemporaryFolder()
        var check = KVMCheck()
        check.device = folder("kvm")
        check.emulator = try folder.write("#!/bin/sh\nexit 85\n", to: "qemu")
        chmod(check.emulator, 0o755)
        let accelerator = AcceleratorCheck(uri: "qemu:///system", check: check)
        #expect(await accelerator.result().reason == "\(folder("kvm")) does not exist")
        #expect(await accelerator.again() != .usable)
        try folder.write("", to: "kvm")
        #expect(await accelerator.result().kind == .tcg)
        #expect(await accelerator.again() == .usable)
        #expect(await accelerator.result().kind == .kvm)
        unlink(folder("kvm"))
        #expect(await accelerator.again() != .usable)
        #expect(await accelerator.result().kind == .kvm)
    }

    // MARK: cgroups, versions, programs

    @Test func cgroupsOfEitherVersion() throws {
        let unified = try HostTree([
            "/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory hugetlb pids rdma misc\n"
        ])
        #expect(CgroupFindings(files: unified.files).notes()[0].status == .ok)
        let poor = try HostTree(["/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io pids\n"])
        let lacking = CgroupFindings(files: poor.files).notes()[0]
        #expect(lacking.status == .warning && lacking.message.contains("controllers memory are"))
        #expect(lacking.hint?.contains("cgroup_enable=memory") == true)
        let old = try HostTree(
            ["cpu", "cpuset", "memory"].reduce(into: [:]) { $0["/sys/fs/cgroup/\($1)/cgroup.procs"] = "1\n" })
        let first = CgroupFindings(files: old.files).notes()[0]
        #expect(first.status == .warning && first.message.contains("version 1, without blkio:"))
        #expect(CgroupFindings(files: try HostTree().files).notes()[0].message.contains("no cgroups"))
    }

    @Test func versionsSayWhatTheyLack() {
        let bookworm = LibvirtVersionFindings.note(.init(9, 0))
        #expect(bookworm.status == .ok && bookworm.message.contains("external snapshots (from 9.9)"))
        #expect(bookworm.message.contains("nftables (from 10.4)") && !bookworm.message.contains("backups"))
        #expect(LibvirtVersionFindings.note(.init(11, 3)) == .ok("libvirt 11.3.0"))
        let bullseye = LibvirtVersionFindings.note(.init(7, 0))
        #expect(bullseye.status == .warning && bullseye.message.contains("incremental backups (from 7.6)"))
        #expect(QemuVersionFindings.note(.init(5, 2)).status == .warning)
        #expect(QemuVersionFindings.note(.init(7, 2, 22)).message.contains("vCPUs"))
        #expect(QemuVersionFindings.note(.init(10, 0, 2)) == .ok("QEMU 10.0.2"))
    }

    @Test func programsThatAreMissingComeWithTheirPackages() {
        var check = ProgramFindings()
        check.firmware = "/"
        check.programs = [.init(name: "sh", package: "dash", purpose: "everything", isNeeded: true)]
        #expect(check.notes().map(\.status) == [.ok])
        check.programs += [
            .init(name: "no-such-1", package: "one", purpose: "this", isNeeded: true),
            .init(name: "no-such-2", package: "two", purpose: "that"),
            .init(name: "no-such-3", package: "two", purpose: "more"),
        ]
        #expect(
            check.notes() == [
                .critical("not installed: no-such-1 (for this)", "apt-get install one"),
                .warning("not installed: no-such-2 (for that), no-such-3 (for more)", "apt-get install two"),
            ])
    }

    // MARK: confinement

    private func confinement(_ models: [String], _ files: [String: String]) async throws -> Note {
        let tree = try HostTree(files)
        let xml = models.map { "<secmodel><model>\($0)</model><doi>0</doi></secmodel>" }.joined()
        let check = ConfinementFindings(
            files: tree.files,
            capabilities: { try CapabilitiesXML(parsing: "<capabilities><host>\(xml)</host></capabilities>") }
        )
        return try await check.notes()[0]
    }

    @Test func confinementIsWhatLibvirtUses() async throws {
        #expect(try await confinement(["apparmor", "dac"], [:]).status == .ok)
        #expect(try await confinement(["selinux", "dac"], [:]).status == .ok)
        let on = ["/sys/module/apparmor/parameters/enabled": "Y\n"]
        #expect(try await confinement(["dac"], on).message.contains("libvirtd itself is not confined"))
        #expect(try await confinement(["dac"], [:]).message.contains("without AppArmor"))
        let refused = on.merging(["/etc/libvirt/qemu.conf": "# x\nsecurity_driver = \"none\"\n"]) { $1 }
        #expect(try await confinement(["none", "dac"], refused).hint?.contains("remove that line") == true)
    }

    // MARK: memory and clock

    private let meminfo = """
        MemTotal:       16325292 kB
        MemFree:          812344 kB
        MemAvailable:    9381812 kB
        SwapTotal:       4194300 kB
        SwapFree:        4194300 kB
        HugePages_Total:       0
        HugePages_Free:        0
        Hugepagesize:       2048 kB

        """

    @Test func memoryIsShortBelowATwentieth() throws {
        let tree = try HostTree(["/proc/meminfo": meminfo])
        #expect(
            MemoryFindings(files: tree.files).notes() == [.ok("8.9 GiB of 15.6 GiB of memory can be had")])
        try tree.write("/proc/meminfo", meminfo.replacing("9381812", with: "600000"))
        #expect(MemoryFindings(files: tree.files).notes()[0].status == .warning)
        #expect(MemoryFindings(files: try HostTree().files).notes()[0].status == .unknown)
    }

    @Test(arguments: [
        (8, true, FindingStatus.ok, "may use 8 GiB of 15.6 GiB"), (18, true, .warning, "slow"),
        (18, false, .warning, "no swap"), (24, true, .warning, "kernel kills"),
    ])
    func swapMattersWhereMoreIsPromised(_ gib: Int64, _ swap: Bool, _ status: FindingStatus, _ words: String)
        async throws
    {
        let text = swap ? meminfo : meminfo.replacing("4194300", with: "0")
        let tree = try HostTree(["/proc/meminfo": text])
        let note = try await SwapFindings(files: tree.files, promised: { gib << 30 }).notes()[0]
        #expect(note.status == status && note.message.contains(words), "\(note)")
    }

    @Test func aSwapInUseIsTold() async throws {
        let text = meminfo.replacing("SwapFree:        4194300", with: "SwapFree:        1000000")
            .replacing("9381812", with: "900000")
        let tree = try HostTree(["/proc/meminfo": text])
        #expect(try await SwapFindings(files: tree.files, promised: { 0 }).notes()[0].status == .warning)
    }

    @Test func hugePagesNeedAMount() throws {
        let tree = try HostTree(["/sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n"])
        #expect(HugePageFindings(files: tree.files).notes() == [.ok("transparent huge pages: madvise")])
        let some = meminfo.replacing("HugePages_Total:       0", with: "HugePages_Total:     512")
        try tree.write("/proc/meminfo", some)
        let unmounted = HugePageFindings(files: tree.files).notes()[0]
        #expect(unmounted.status == .warning && unmounted.message.hasPrefix("0 of 512 huge pages of 2 MiB"))
        try tree.write("/proc/mounts", "hugetlbfs /dev/hugepages hugetlbfs rw,relatime,pagesize=2M 0 0\n")
        #expect(HugePageFindings(files: tree.files).notes()[0].status == .ok)
    }

    @Test func theClockIsAskedAndNotSet() {
        #expect(ClockFindings(kernel: { 1 }).notes()[0].status == .ok)
        #expect(ClockFindings(kernel: { 0 }).notes()[0].status == .warning)
        #expect(
            ClockFindings(kernel: {
                errno = EPERM
                return -1
            }).notes()[0].message.contains("not permitted"))
        #expect([.ok, .warning].contains(ClockFindings().notes()[0].status))
    }
}
