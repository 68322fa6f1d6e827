// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import Testing
import VctlAPI

@testable import VctlCore

/// Who keeps a volume from being changed, removed or read.
@Suite struct VolumeGuardTests {
    // MARK: Pools

    @Test(arguments: ["fs", "logical", "disk"]) func onlyTheDataOfDirectoriesGoWithAPool(_ type: String)
        async throws
    {
        let test = try await PoolBench()
        let folder = try test.folder("theirs")
        let source =
            type == "logical"
            ? "<source><name>vg</name></source>"
            : "<source><device path='/dev/none'/></source>"
        let xml = """
            <pool type='\(type)'><name>theirs</name>\(source)<target><path>\(folder)</path></target></pool>
            """
        let handle = try await test.bench.hypervisor.connection().define(storagePool: xml)
        try await handle.start()
        try Data(count: 1 << 20).write(to: URL(filePath: "\(folder)/theirs.img"))
        try await test.look()
        try await test.ended(
            try await test.core.pools.adopt(.name("theirs"), PoolAdopt(), test.context("pool.adopt")))
        var context = test.context("pool.delete")
        context.force = true
        let problem = await test.refused(.poolForeign) {
            try await test.core.pools.delete(.name("theirs"), withData: true, context)
        }
        #expect(problem?.hint?.contains("vctl pool delete theirs keeps the data") == true)
        #expect(FileManager.default.fileExists(atPath: "\(folder)/theirs.img"))
        #expect(try await handle.isActive())
        try test.close()
    }

    @Test func aDeathBetweenTheFilesAndTheDefinitionLeavesAPoolThatCanBeDeleted() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("data"))
        try test.close()
        let core = try await test.bench.core { point in
            if case .beforeStep(_, "undefine") = point { true } else { false }
        }
        _ = try await core.pools.delete(.name("fast"), withData: true, test.context("pool.delete"))
        await core.engine.idle()
        try core.inventory.close()
        #expect(!FileManager.default.fileExists(atPath: "\(target)/data"))
        let pools = try await test.bench.hypervisor.managed.connection().storagePoolRecords()
        #expect(pools.contains { $0.name == "fast" })
    }

    @Test func startingWhatRunsAndStoppingWhatDoesNotChangesNothing() async throws {
        let test = try await PoolBench()
        try await test.make("fast")
        let (pools, fast) = (test.core.pools, Reference.name("fast"))
        try await test.ended(try await pools.start(fast, test.context("pool.start")))
        #expect(try await test.pool("fast").state == .running)
        for _ in 0..<2 { try await test.ended(try await pools.stop(fast, test.context("pool.stop"))) }
        #expect(try await test.pool("fast").state == .stopped)
        try test.close()
    }

    @Test func aPoolBehindALinkHasTheVolumesThatVMsHave() async throws {
        let test = try await PoolBench()
        let real = try test.folder("real")
        let link = "\(test.bench.folders)/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: real)
        let xml = "<pool type='dir'><name>theirs</name><target><path>\(link)</path></target></pool>"
        try await test.bench.hypervisor.connection().define(storagePool: xml).start()
        try await test.add("theirs", try test.volume("data"))
        #expect(try await test.volumes("theirs").map(\.path) == ["\(RealPath.of(real))/data"])
        try await test.bench.make("web", on: test.core)
        var add = VMDiskAdd()
        add.path = "\(link)/data"
        try await test.ended(try await test.core.vms.addDisk(.name("web"), add, test.context("vm.disk.add")))
        #expect(try await test.volumes("theirs").map(\.usedBy) == [["web"]])
        try test.close()
    }

    @Test func aLookThatHangsHoldsUpNobody() async throws {
        let (looks, one, other) = (Looks(), ObjectID(), ObjectID())
        let gate = DispatchSemaphore(value: 0)
        let hung = try await looks.run(one, patience: .milliseconds(50)) { () -> Bool in
            gate.wait()
            return true
        }
        #expect(hung == nil)
        let again = try await looks.run(one) { true }
        #expect(again == nil, "there are never two")
        #expect(try await looks.run(other) { 7 } == 7)
        gate.signal()
        while try await looks.run(one, { 8 }) != 8 { await Task.yield() }
        // Those who come at once wait for each other.
        try await withThrowingTaskGroup(of: Int?.self) { group in
            for index in 0..<20 { group.addTask { try await looks.run(one) { index } } }
            let all = try await group.reduce(into: Set<Int>()) { if let value = $1 { $0.insert(value) } }
            #expect(all.count == 20)
        }
    }

    // MARK: Clones

    @Test(arguments: ["dir", "fs"]) func theBaseOfACloneInAPoolThatIsNotThereStays(_ type: String)
        async throws
    {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        let other = try test.folder("other")
        let source = type == "fs" ? "<source><device path='/dev/none'/></source>" : ""
        let xml = """
            <pool type='\(type)'><name>other</name>\(source)<target><path>\(other)</path></target></pool>
            """
        let handle = try await test.bench.hypervisor.connection().define(storagePool: xml)
        try await handle.start()
        try await test.add("fast", try test.volume("base"))
        try await QemuImg.create(
            path: "\(other)/top", format: .qcow2, sizeBytes: nil,
            backing: .init(path: "\(target)/base", format: .qcow2))
        try await test.look()
        try await handle.destroy()
        // As a file system that is not mounted any more.
        try FileManager.default.moveItem(atPath: other, toPath: "\(test.bench.directory)/away")
        try await test.look()
        for action in [Destroying.delete, .wipe, .resize, .pool] {
            let problem = await test.refused(.volumeInUse) { try await action.run(test, "base") }
            #expect(problem?.detail.contains("other/top") == true, "\(problem?.detail ?? "")")
        }
        #expect(FileManager.default.fileExists(atPath: "\(target)/base"))
        try test.close()
    }

    @Test func theWholeChainIsJudged() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        let secret = "\(test.bench.directory)/secret"
        try Data(repeating: 0x53, count: 1 << 20).write(to: URL(filePath: secret))
        try await test.add("fast", try test.volume("mid"))
        try await QemuImg.rebaseUnsafely(
            path: "\(target)/mid", format: .qcow2, onto: .init(path: secret, format: .raw))
        try await QemuImg.create(
            path: "\(target)/top", format: .qcow2, sizeBytes: 8 << 20,
            backing: .init(path: "\(target)/mid", format: .qcow2))
        try await Tool(
            "qemu-img",
            [
                "create", "-q", "-f", "qcow2", "-o",
                "data_file=\(test.bench.directory)/data,data_file_raw=on",
                "\(target)/outside", "8M",
            ]
        ).run()
        try await test.look()
        for (action, name) in [
            (Destroying.resize, "top"), (.clone, "top"), (.clone, "mid"), (.resize, "outside"),
            (.clone, "outside"),
        ] {
            let problem = await test.refused(.imageBackingFile) { try await action.run(test, name) }
            #expect(problem?.hint?.contains("qemu-img") == true)
        }
        await test.refused(.imageBackingFile) { try await Destroying.flatten.run(test, "top") }
        try test.close()
    }

    @Test func whatAGuestWroteIntoARawBaseIsNotOpened() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        var create = try test.volume("base")
        create.format = .raw
        try await test.add("fast", create)
        try await QemuImg.create(
            path: "\(target)/top", format: .qcow2, sizeBytes: 8 << 20,
            backing: .init(path: "\(target)/base", format: .raw))
        try await QemuImg.rebaseUnsafely(
            path: "\(target)/top", format: .qcow2, onto: .init(path: "\(target)/base", format: .qcow2))
        try await test.look()
        let problem = await test.refused(.imageBackingFile) { try await Destroying.flatten.run(test, "top") }
        #expect(problem?.detail.contains("raw volume") == true, "\(problem?.detail ?? "")")
        try test.close()
    }

    // MARK: VMs

    @Test(arguments: [false, true]) func aVMThatIsPausedOrSuspendedCountsAsRunning(_ saved: Bool) async throws
    {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("data"))
        let xml = SafetyXML.domain("sleeper", "\(target)/data")
        let domain = try await test.bench.hypervisor.connection().define(domain: xml)
        try await domain.start()
        if saved { try await domain.managedSave() } else { try await domain.suspend() }
        for action in [Destroying.delete, .wipe, .resize, .pool, .clone] {
            let code: ErrorCode = action == .pool ? .poolInUse : .volumeInUse
            let problem = await test.refused(code) { try await action.run(test, "data") }
            #expect(problem?.detail.contains("VM sleeper") == true, "\(problem?.detail ?? "")")
        }
        #expect(FileManager.default.fileExists(atPath: "\(target)/data"))
        try test.close()
    }

    @Test func aHardLinkOfAVolumeIsThatVolume() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("data"))
        let name = "\(test.bench.directory)/other-name"
        #expect(link("\(target)/data", name) == 0)
        for action in [Destroying.wipe, .resize] {
            let problem = await test.refused(.volumeInUse) { try await action.run(test, "data") }
            #expect(problem?.detail.contains("2 names") == true, "\(problem?.detail ?? "")")
        }
        _ = try await test.bench.hypervisor.connection().define(domain: SafetyXML.domain("hidden", name))
        for action in [Destroying.delete, .wipe, .pool] {
            let code: ErrorCode = action == .pool ? .poolInUse : .volumeInUse
            let problem = await test.refused(code) { try await action.run(test, "data") }
            #expect(problem?.detail.contains("VM hidden") == true, "\(problem?.detail ?? "")")
        }
        try test.close()
    }

    @Test func whatTheVMsDefinitionSaysOfTheChainCounts() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("base"))
        try await test.ended(try await Destroying.link.run(test, "base"))
        let inside = """
            <backingStore type='file'><format type='qcow2'/><source file='\(target)/base'/></backingStore>
            """
        let connection = try test.bench.hypervisor.connection()
        let domain = try await connection.define(
            domain: SafetyXML.domain("explicit", "\(target)/linked", inside: inside))
        let named = await test.refused(.volumeState) { try await Destroying.flatten.run(test, "linked") }
        #expect(named?.hint?.contains("backingStore") == true)
        try await domain.undefine()
        // By this one it is a raw disk, whatever its bytes look like.
        _ = try await connection.define(domain: SafetyXML.domain("raw", "\(target)/linked", format: "raw"))
        await test.refused(.volumeState) { try await Destroying.flatten.run(test, "linked") }
        try test.close()
    }

    // MARK: QEMU

    @Test func whatQEMUHasOpenIsNeitherWrittenNorRemoved() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("data"))
        let holder = try await Holder("\(target)/data")
        for action in [Destroying.wipe, .resize] {
            let problem = await test.refused(.volumeInUse) { try await action.run(test, "data") }
            #expect(problem?.detail.contains("open in QEMU") == true, "\(problem?.detail ?? "")")
        }
        for action in [Destroying.delete, .pool] {
            let problem = await #expect(throws: Problem.self) {
                try await test.ended(try await action.run(test, "data"))
            }
            #expect(problem?.errorCode == .volumeInUse, "\(problem?.detail ?? "")")
        }
        #expect(throws: Problem.self) { try ImageContent(path: "\(target)/data", isHeldStill: true) }
        holder.end()
        try await test.ended(try await Destroying.wipe.run(test, "data"))
        try await test.ended(try await Destroying.delete.run(test, "data"))
        #expect(!FileManager.default.fileExists(atPath: "\(target)/data"))
        try test.close()
    }

    /// As a loop device has it, a copy, or an export: of these no lock of QEMU's tells.
    @Test func whatAnyProgramHasOpenForWritingIsNeitherWrittenNorRemoved() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("data"))
        let path = "\(target)/data"
        let writer = open(path, O_WRONLY | O_CLOEXEC)
        let before = try Data(contentsOf: URL(filePath: path))
        for action in [Destroying.wipe, .resize, .delete, .pool] {
            let problem = await #expect(throws: Problem.self) {
                try await test.ended(try await action.run(test, "data"))
            }
            #expect(problem?.errorCode == .volumeInUse, "\(problem?.detail ?? "")")
            #expect(problem?.detail.contains("open for writing") == true, "\(problem?.detail ?? "")")
            #expect(problem?.hint?.contains("losetup -j") == true)
        }
        #expect(try Data(contentsOf: URL(filePath: path)) == before)
        close(writer)
        try await test.ended(try await Destroying.wipe.run(test, "data"))
        try await test.ended(try await Destroying.delete.run(test, "data"))
        #expect(!FileManager.default.fileExists(atPath: path))
        try test.close()
    }

    /// Who has a lease is told by a signal, which ends whoever does not expect it.
    @Test func whoOpensAFileThatIsLookedAtHarmsNobody() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("", to: "file")
        let reader = open(path, O_RDONLY | O_CLOEXEC)
        defer { close(reader) }
        let write = { open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK) }
        do {
            let lease = try FileLease(reader, path)
            #expect(write() == -1 && errno == EAGAIN)
            withExtendedLifetime(lease) {}
        }
        let writer = write()
        #expect(writer >= 0 && FileLease.isOpenForWriting(reader, path))
        close(writer)
        #expect(!FileLease.isOpenForWriting(reader, path))
    }

    @Test func whatIsWipedIsOpenedByNobody() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("data"))
        let file = try #require(KnownFile(path: "\(target)/data"))
        let lock = try ImageLock(file, for: .write)
        await #expect(throws: ToolError.self) { try await QemuIO.run("read 0 512", on: file.path) }
        withExtendedLifetime(lock) {}
        try test.close()
    }

    @Test func aDownloadThatWasWrittenToMeanwhileIsNoWhole() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        var create = try test.volume("data")
        create.format = .raw
        try await test.add("fast", create)
        let content = try await test.core.pools.volumeContent(
            .name("fast"), "data", test.context("volume.download"))
        _ = try await content.next()
        try await QemuIO.run("write -P 0x5a 0 512", on: "\(target)/data", format: "raw")
        let problem = await #expect(throws: Problem.self) {
            while case let bytes = try await content.next(), !bytes.isEmpty {}
        }
        #expect(problem?.errorCode == .volumeInUse)
        let again = try await test.core.pools.volumeContent(
            .name("fast"), "data", test.context("volume.download"))
        var size = 0
        while case let bytes = try await again.next(), !bytes.isEmpty { size += bytes.count }
        #expect(size == 8 << 20)
        try test.close()
    }
}

/// A request about a volume of pool `fast`.
private enum Destroying {
    case delete, wipe, resize, pool, clone, flatten, link

    func run(_ test: PoolBench, _ name: String) async throws -> Accepted {
        let (pools, fast, context) = (test.core.pools, Reference.name("fast"), test.context("volume.\(self)"))
        switch self {
        case .delete: return try await pools.deleteVolume(fast, name, context)
        case .wipe: return try await pools.wipeVolume(fast, name, context)
        case .resize:
            let size = VolumeResize(sizeBytes: try ByteCount("16M"))
            return try await pools.resizeVolume(fast, name, size, context)
        case .pool: return try await pools.delete(fast, withData: true, context)
        case .clone:
            return try await pools.cloneVolume(fast, name, VolumeClone(name: try Name("new")), context)
        case .flatten: return try await pools.flattenVolume(fast, name, context)
        case .link:
            var clone = VolumeClone(name: try Name("linked"))
            clone.clone = .linked
            return try await pools.cloneVolume(fast, name, clone, context)
        }
    }
}

/// A process of QEMU's that has an image open for writing.
private final class Holder {
    private let process = Process()
    private let input = Pipe()

    init(_ path: String) async throws {
        process.executableURL = URL(filePath: "/usr/bin/qemu-io")
        process.arguments = ["-f", "qcow2", path]
        (process.standardInput, process.standardOutput) = (input, Pipe())
        try process.run()
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        // It has the lock once it has the image open.
        while process.isRunning, (try? ImageLock.refuseWriter(descriptor, path)) != nil { await Task.yield() }
        try #require(process.isRunning)
    }

    func end() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    deinit { if process.isRunning { process.terminate() } }
}
