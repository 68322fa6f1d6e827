// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import Testing
import VctlAPI

@testable import VctlCore

/// How it is found out who needs a file, and whether it is the one that it was.
@Suite struct VolumeNeedTests {
    private func delete(_ name: String, _ test: PoolBench) async throws -> Accepted {
        try await test.core.pools.deleteVolume(.name("fast"), name, test.context("volume.delete"))
    }

    // MARK: VMs

    @Test func whatAVMBootsFromIsNeeded() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("data"))
        for inside in [
            "<kernel>\(target)/data</kernel>", "<kernel>/k</kernel><initrd>\(target)/data</initrd>",
            "<loader readonly='yes' type='pflash'>\(target)/data</loader>",
        ] {
            let xml = """
                <domain type='test'><name>booted</name><memory unit='MiB'>64</memory>
                <os><type>hvm</type>\(inside)</os></domain>
                """
            let domain = try await test.bench.hypervisor.connection().define(domain: xml)
            let problem = await test.refused(.volumeInUse) { try await delete("data", test) }
            #expect(problem?.detail.contains("VM booted") == true, "\(problem?.detail ?? "")")
            await test.refused(.poolInUse) {
                try await test.core.pools.delete(
                    .name("fast"), withData: true, test.context("pool.delete"))
            }
            try await domain.undefine()
        }
        try test.close()
    }

    @Test func aDiskThatIsNamedByItsPoolIsTaken() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("data"))
        try await test.bench.make("web", on: test.core)
        let xml = """
            <domain type='test'><name>named</name><memory unit='MiB'>64</memory><os><type>hvm</type></os>
            <devices><disk type='volume' device='disk'><driver name='qemu' type='qcow2'/>
            <source pool='fast' volume='data'/><target dev='vda' bus='virtio'/></disk></devices></domain>
            """
        _ = try await test.bench.hypervisor.connection().define(domain: xml)
        var add = VMDiskAdd()
        add.path = "\(target)/data"
        let problem = await test.refused(.volumeInUse) {
            try await test.core.vms.addDisk(.name("web"), add, test.context("vm.disk.add"))
        }
        #expect(problem?.detail.contains("VM named") == true, "\(problem?.detail ?? "")")
        await test.refused(.volumeInUse) { try await delete("data", test) }
        try test.close()
    }

    @Test func aDefinitionThatNobodyCanReadIsNoneWithoutDisks() {
        let problem = #expect(throws: Problem.self) { try DomainNeeds.parsed("<domain><disk", "odd") }
        #expect(problem?.detail.contains("VM odd") == true)
    }

    // MARK: Snapshots

    @Test func whatSnapshotsReadIsNotTakenFromThem() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("base"))
        try await QemuIO.run("write -P 0x5a 0 1M", on: "\(target)/base")
        try await test.link("fast", "base", to: "fast")
        try await Tool("qemu-img", ["snapshot", "-c", "before", "\(target)/top"]).run()
        let flatten = await test.refused(.volumeState) {
            try await test.core.pools.flattenVolume(.name("fast"), "top", test.context("volume.flatten"))
        }
        #expect(flatten?.detail.contains("snapshot") == true, "\(flatten?.detail ?? "")")
        let size = VolumeResize(sizeBytes: try ByteCount("4M"))
        let resize = await test.refused(.volumeState) {
            try await test.core.pools.resizeVolume(.name("fast"), "top", size, test.forced("volume.resize"))
        }
        #expect(resize?.detail.contains("snapshot") == true, "\(resize?.detail ?? "")")
        try await Tool("qemu-img", ["snapshot", "-d", "before", "\(target)/top"]).run()
        try await test.look()
        try await test.ended(
            try await test.core.pools.flattenVolume(.name("fast"), "top", test.context("volume.flatten")))
        try test.close()
    }

    @Test func aSnapshotThatCameMeanwhileIsNotLost() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("base"))
        try await test.link("fast", "base", to: "fast")
        try test.close()
        let core = try await test.bench.core { point in
            if case .beforeStep(_, "flatten") = point { true } else { false }
        }
        let id = try await core.pools.flattenVolume(
            .name("fast"), "top", test.context("volume.flatten")
        ).operationID
        await core.engine.idle()
        try core.inventory.close()
        try await Tool("qemu-img", ["snapshot", "-c", "before", "\(target)/top"]).run()
        let ended = try await test.resumed(id)
        #expect(ended.status == .failed && ended.error?.detail.contains("snapshot") == true, "\(ended)")
        #expect(
            try BackingChain.files(behind: "\(target)/top").map(RealPath.of) == [
                RealPath.of("\(target)/base")
            ])
    }

    // MARK: Servers that do not answer

    @Test func whoCannotBeAskedMayNeedEverything() async throws {
        let test = try await PoolBench()
        try await test.make("fast")
        let other = try #require(try await test.make("other").target)
        try await test.add("fast", try test.volume("data"))
        let looks = test.core.environment.looks
        for what in [Looks.disks, other] {
            let gate = DispatchSemaphore(value: 0)
            await #expect(throws: Problem.self) {
                try await looks.ask(what, patience: .milliseconds(50)) { gate.wait() }
            }
            let problem = await test.refused(.poolState) { try await delete("data", test) }
            #expect(problem?.detail.contains(what) == true, "\(problem?.detail ?? "")")
            gate.signal()
            while (try? await looks.ask(what, { true })) == nil { await Task.yield() }
        }
        try await test.ended(try await delete("data", test))
        try test.close()
    }

    @Test func aFolderThatCannotBeReadIsNotAnEmptyOne() async throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(
            atPath: folder("loop"), withDestinationPath: folder("loop"))
        try folder.write("", to: "file")
        let other = try TemporaryFolder()
        let file = try other.write("", to: "file")
        for (name, isUnknown) in [("loop", true), ("file", false), ("nothing", false)] {
            let readers = try FileReaders(domains: [], folders: [folder(name)])
            if isUnknown {
                await #expect(throws: FileFailure.self) { try await readers.first(of: [file]) }
            } else {
                #expect(try await readers.first(of: [file]) == nil)
            }
        }
    }

    @Test func whatLibvirtSaidLastCountsWhileItWaits() async throws {
        let waiting = Waiting()
        let records = PoolRecords(patience: .seconds(1)) {
            await waiting.turn()
            return []
        }
        #expect(try await records.all().areFresh)
        await waiting.stop()
        #expect(try await !records.all().areFresh)
        #expect(try await !records.all().areFresh, "and nobody else waits")
        await waiting.goOn()
        while try await !records.all().areFresh { await Task.yield() }
    }

    private actor Waiting {
        private var stops = false
        private var waiting: [CheckedContinuation<Void, Never>] = []

        func turn() async {
            guard stops else { return }
            await withCheckedContinuation { waiting.append($0) }
        }

        func stop() { stops = true }

        func goOn() {
            stops = false
            for one in waiting { one.resume() }
            waiting = []
        }
    }

    // MARK: Names

    /// Swift takes a slash and a mark behind it for one character.
    @Test(arguments: ["\u{301}x", "\u{200d}x", "\u{fe0f}x"]) func anyNameIsAName(_ name: String) async throws
    {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        let path = "\(target)/" + name
        try Data(count: 1 << 20).write(to: URL(filePath: path))
        try await test.look()
        let size = VolumeResize(sizeBytes: try ByteCount("2M"))
        try await test.ended(
            try await test.core.pools.resizeVolume(.name("fast"), name, size, test.context("volume.resize")))
        #expect(FileStamp(path: path)?.size == 2 << 20)
        let domain = try await test.bench.hypervisor.connection().define(
            domain: SafetyXML.domain("taker", path, format: "raw"))
        await test.refused(.poolInUse) {
            try await test.core.pools.delete(.name("fast"), withData: false, test.context("pool.delete"))
        }
        try await domain.undefine()
        try await test.ended(try await delete(name, test))
        #expect(FileStamp(path: path) == nil)
        try test.close()
    }

    @Test func pathsAreBytes() {
        let path = "/srv/\u{301}x"
        #expect(RealPath.folder(of: path) == "/srv" && Array(RealPath.name(of: path).utf8).count == 3)
        #expect(path.isBelow("/srv") && path.isBelow("/srv/") && path.isBelow("/") && !path.isBelow("/sr"))
        #expect("/\u{301}x".isAbsolute && RealPath.folder(of: "/x") == "/" && RealPath.folder(of: "x") == "")
        #expect(RealPath.upwards(from: "/a/b") == ["/a/b", "/a", "/"])
        #expect(BackingChain.resolve("/\u{301}x", from: "/srv/top") == ["/\u{301}x"])
        #expect(
            BackingChain.resolve("\u{301}a/b:c", from: "/srv/top").map { Array($0.utf8) }
                == [Array("/srv/\u{301}a/b:c".utf8)])
        let name = VolumeName("fast/\u{301}x")
        #expect(name.pool == "fast" && Array(name.name.utf8) == Array("\u{301}x".utf8))
    }

    // MARK: Files

    @Test func aNumberAloneProvesNothing() throws {
        // Nobody knows when a file of procfs was made, and it has no handle.
        let nameless = try #require(FileIdentity(path: "/proc/version"))
        #expect(nameless.born == nil && nameless.likeness(to: nameless) == .unproven)
        #expect(nameless.isSame(as: nameless), "good enough within one change")
        var (one, other) = (nameless, nameless)
        (one.handle, other.handle) = (1, 1)
        #expect(one.likeness(to: other) == .same)
        other.handle = 2
        #expect(one.likeness(to: other) == .other && !one.isSame(as: other))
        var mark = KeptVolume(pool: ObjectID(), name: "version", path: "/proc/version", format: .raw)
        mark.file = nameless
        var volume = Volume(id: mark.id, pool: "proc", name: "version", path: mark.path, state: .present)
        volume.apply(mark, of: nameless)
        #expect(volume.state == .unproven && volume.managed)
    }

    @Test func whatCannotBeMeasuredIsNotWiped() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        #expect(throws: FileFailure.self) { try Zeroes.fill(ends[0], "a pipe") { _, _ in } }
    }
}
