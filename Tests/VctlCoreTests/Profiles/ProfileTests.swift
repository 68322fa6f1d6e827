// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Testing
import VctlAPI

@testable import VctlCore

struct ProfileTests {
    private let bench: Bench
    private let core: Core

    init() async throws {
        bench = try await Bench()
        core = try await bench.core()
    }

    private func small() throws -> ProfileCreate {
        var create = ProfileCreate(name: try Name("small"))
        var settings = ProfileSettings()
        (settings.cpus, settings.memoryBytes) = (3, try ByteCount("256M"))
        settings.image = .name("base")
        settings.labels = ["a": "profile", "b": "profile"]
        settings.disk = DiskSpec()
        settings.disk?.bus = .scsi
        settings.user = "ada"
        (settings.autostart, settings.autostartOrder, settings.onCrash) = (true, 7, .restart)
        create.settings = settings
        create.labels = ["own": "yes"]
        create.cloudInit = Secret("#cloud-config\npassword: geheim\n")
        return create
    }

    private func make(_ create: ProfileCreate, key: String? = nil) async throws -> Profile {
        let reply = try await core.profiles.create(create, bench.context("profile.create", key: key))
        guard case .profile(let rendered) = reply else { throw Problem(.internalError, "a preview") }
        return try JSON.value(Profile.self, rendered.json)
    }

    private func set(_ patch: ProfilePatch, _ context: RequestContext) async throws {
        _ = try await core.profiles.set(.name("small"), patch, context)
    }

    private func refusal(_ body: () async throws -> Void) async -> Problem? {
        do {
            try await body()
            return nil
        } catch {
            return error as? Problem
        }
    }

    @Test func whatTheRequestSaysWins() throws {
        let create = try small()
        var profile = Profile(id: ObjectID(), name: create.name, settings: create.settings!, createdAt: .now)
        profile.settings.tpm = true
        var request = VMCreate(name: try Name("web"))
        (request.cpus, request.tpm, request.labels) = (1, false, ["b": "mine"])
        request.disks = [DiskSpec(), DiskSpec(sizeBytes: try ByteCount("8M"))]
        request.disks?[1].bus = .sata
        let full = request.filled(from: profile, ProfileTexts(cloudInit: create.cloudInit))
        #expect(full.cpus == 1 && full.tpm == false && full.memoryBytes == create.settings?.memoryBytes)
        #expect(full.labels == ["a": "profile", "b": "mine"] && full.image == .name("base"))
        #expect(full.disks?.map(\.bus) == [.scsi, .sata])
        #expect(full.cloudInit?.reveal() == create.cloudInit?.reveal() && full.user == nil)
        #expect(full.autostartOrder == 7 && full.onCrash == .restart)

        request.user = "eve"
        request.autostart = false
        request.kernel = "/k"
        let other = request.filled(from: profile, ProfileTexts(cloudInit: create.cloudInit))
        #expect(other.user == "eve" && other.cloudInit == nil, "a user of one's own and no foreign texts")
        #expect(other.autostart == false && other.autostartOrder == nil && other.image == nil)
    }

    /// A value for each setting.
    private static let samples = """
        {"image":"base","clone":"full","cpus":3,"memoryBytes":268435456,"maxCpus":4,"firmware":"uefi",
        "maxMemoryBytes":536870912,"tpm":true,"graphics":"spice","machine":"pc","cpuModel":"max",
        "disk":{"sizeBytes":1073741824},"networks":[{"network":"lan"}],"user":"ada","sshKeys":["k"],
        "labels":{"a":"b"},"description":"text","autostart":true,"autostartOrder":7,
        "autostartDelaySeconds":3,"onCrash":"restart","protected":true}
        """

    @Test(arguments: ProfileSettingsPatch.names)
    func everySettingReachesTheVM(_ name: String) throws {
        let all = try JSONSerialization.jsonObject(with: Data(Self.samples.utf8)) as? [String: Any]
        let value = try #require(all?[name], "a setting without a value to try")
        let one = try JSONSerialization.data(withJSONObject: [name: value])
        var request = VMCreate(name: try Name("web"))
        if name != "image" { request.image = .name("other") }
        let profile = Profile(
            id: ObjectID(), name: try Name("p"),
            settings: try JSONDecoder().decode(ProfileSettings.self, from: one),
            createdAt: .now)
        var empty = profile
        empty.settings = ProfileSettings()
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let bodies = try [profile, empty].map {
            try encoder.encode(request.filled(from: $0, ProfileTexts()))
        }
        #expect(bodies[0] != bodies[1])
    }

    @Test func aVMIsMadeWithIt() async throws {
        _ = try await bench.upload("base", to: core)
        await core.engine.idle()
        _ = try await make(try small())
        var create = VMCreate(name: try Name("web"))
        create.profile = .name("small")
        (create.cpus, create.start) = (2, false)
        let id = try await core.vms.create(create, bench.context("vm.create")).operationID
        await core.engine.idle()
        let operation = try await core.operations.get(.id(id))
        #expect(operation.status == .succeeded, "\(String(describing: operation.error))")
        let vm = try await core.vms.row(.name("web")).value()
        #expect(vm.profile == "small" && vm.cpus == 2 && vm.memoryBytes == 256 << 20)
        #expect(vm.autostartOrder == 7 && vm.onCrash == .restart && vm.labels["a"] == "profile")
        let seed = try SeedFiles(core.state).kept(vm.id)
        #expect(seed?.userData.contains("geheim") == true)
        create.name = try Name("other")
        create.profile = .name("none")
        let missing = await refusal {
            [create] in _ = try await core.vms.create(create, bench.context("vm.create"))
        }
        #expect(missing?.errorCode == .profileNotFound)
        try core.inventory.close()
    }

    @Test func secretsAreInNoRow() async throws {
        let made = try await make(try small())
        #expect(made.hasCloudInit && !made.hasNetworkConfig)
        let rows = try await core.inventory.read { db in
            try ["profile", "event", "audit", "idempotency"].flatMap { table in
                try Row.fetchAll(db, sql: "SELECT * FROM \(table)").map { "\($0)" }
            }
        }
        #expect(!rows.contains { $0.contains("geheim") } && rows.count > 2)
        let file = "\(core.state.path)/secrets/profile-\(made.id).json"
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(try core.state.texts(of: made.id).cloudInit?.reveal().contains("geheim") == true)
        try core.inventory.close()
    }

    @Test func aPatchChangesWhatItNamesAndNullTakesAway() async throws {
        let made = try await make(try small())
        var patch = ProfilePatch()
        var change = ProfileSettingsPatch(ProfileSettings())
        #expect(change.remove("cpus") && !change.remove("nothing"))
        change.memoryBytes = Removable(try ByteCount("512M"))
        patch.settings = change
        patch.labels = ["own": nil]
        patch.cloudInit = Secret("")
        let encoded = String(decoding: try JSONEncoder().encode(change), as: UTF8.self)
        #expect(encoded.contains("\"cpus\":null") && !encoded.contains("firmware"))
        var context = bench.context("profile.set")
        context.ifMatch = "\"1\""
        try await set(patch, context)
        let stale = await refusal { [context, patch] in try await set(patch, context) }
        #expect(stale?.errorCode == .revisionStale)
        let now = try await core.inventory.read { try ProfileStore.get($0, .id(made.id)).document }
        #expect(now.settings.cpus == nil && now.settings.memoryBytes?.bytes == 512 << 20)
        #expect(now.settings.user == "ada" && now.labels.isEmpty && !now.hasCloudInit)
        #expect(try core.state.texts(of: made.id).isEmpty)
        try core.inventory.close()
    }

    @Test func wrongSettingsAreNamed() async throws {
        var create = try small()
        create.settings?.cpus = 0
        create.settings?.networks = [NICSpec(network: .name("n"))]
        create.settings?.networks?[0].mac = "52:54:00:00:00:01"
        create.settings?.disk?.format = .vmdk
        let problem = await refusal { [create] in _ = try await make(create) }
        let fields = Set((problem?.errors ?? []).map(\.field))
        #expect(fields.isSuperset(of: ["settings.cpus", "settings.disk.format", "settings.networks[0].mac"]))
        let names = try await core.profiles.list(ListQuery()).json
        #expect(names == "[]")
        try core.inventory.close()
    }

    @Test func oneKeyMakesOneProfile() async throws {
        let first = try await make(try small(), key: "k")
        #expect(try await make(try small(), key: "k").id == first.id)
        let problem = await refusal { _ = try await make(try small(), key: "other") }
        #expect(problem?.errorCode == .profileExists)
        try core.inventory.close()
    }

    @Test func itOutlivesTheDatabase() async throws {
        let made = try await make(try small())
        var gone = try small()
        gone.name = try Name("gone")
        let other = try await make(gone)
        #expect(try await core.profiles.delete(.name("gone"), bench.context("profile.delete")) == nil)
        #expect(try core.state.texts(of: other.id).isEmpty)
        try core.inventory.close()
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: core.state.database + suffix)
        }
        let next = try await bench.core()
        let rows = try await next.inventory.read {
            try ProfileStore.page($0, ListQuery()).rows.map(\.document)
        }
        #expect(rows == [made])
        try await ProfileRecovery.sweep(next.state, next.inventory)
        #expect(try next.state.texts(of: made.id).cloudInit != nil)
        try next.inventory.close()
    }

    @Test func whatNoRowBelongsToIsSwept() async throws {
        let stray = ObjectID()
        let profile = Profile(
            id: stray, name: try Name("stray"), settings: ProfileSettings(), createdAt: .now)
        try core.state.keep(.profile, stray, profile)
        try core.state.keep(ProfileTexts(cloudInit: Secret("x")), of: stray)
        try await ProfileRecovery.sweep(core.state, core.inventory)
        #expect(!FileManager.default.fileExists(atPath: core.state.object(.profile, stray)))
        #expect(try core.state.texts(of: stray).isEmpty)
        try core.inventory.close()
    }
}
