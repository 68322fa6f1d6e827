// SPDX-License-Identifier: Apache-2.0

/// What new VMs are like unless they are told otherwise, under a name.
public struct Profile: Codable, Hashable, Sendable {
    public var id: ObjectID
    public var name: Name
    public var description: String?
    /// Labels of the profile itself; those of its VMs are in `settings`.
    public var labels: [String: String]
    public var settings: ProfileSettings
    /// Whether it has user-data for cloud-init, which is shown to nobody.
    public var hasCloudInit: Bool
    /// Whether it has a network-config for cloud-init, which is shown to nobody.
    public var hasNetworkConfig: Bool
    public var createdAt: Timestamp

    public init(id: ObjectID, name: Name, settings: ProfileSettings, createdAt: Timestamp) {
        self.id = id
        self.name = name
        self.settings = settings
        self.createdAt = createdAt
        labels = [:]
        hasCloudInit = false
        hasNetworkConfig = false
    }
}

/// The defaults that a profile gives; what is absent is as without it.
public struct ProfileSettings: Codable, Hashable, Sendable {
    public var image: Reference?
    public var clone: CloneMode?
    public var cpus: Int?
    public var memoryBytes: ByteCount?
    public var maxCpus: Int?
    public var maxMemoryBytes: ByteCount?
    public var firmware: Firmware?
    public var tpm: Bool?
    public var graphics: GraphicsKind?
    public var machine: String?
    public var cpuModel: String?
    /// What a disk is like that does not say it itself.
    public var disk: DiskSpec?
    /// An empty list: no NIC.
    public var networks: [NICSpec]?
    public var user: String?
    public var sshKeys: [String]?
    /// The labels of its VMs; a label that a request gives wins.
    public var labels: [String: String]?
    /// The description of its VMs.
    public var description: String?
    public var autostart: Bool?
    public var autostartOrder: Int?
    public var autostartDelaySeconds: Int?
    public var onCrash: CrashAction?
    public var protected: Bool?
    /// Nothing is given until a field is set.
    public init() {}
}

/// A request for a new profile.
public struct ProfileCreate: Codable, Sendable {
    public var name: Name
    public var description: String?
    public var labels: [String: String]?
    public var settings: ProfileSettings?
    /// cloud-init's user-data, instead of what `user` and `sshKeys` make.
    public var cloudInit: Secret?
    /// cloud-init's network-config.
    public var networkConfig: Secret?
    /// The least request; everything else is set afterwards.
    public init(name: Name) { self.name = name }
}

/// A merge patch (RFC 7396) of a profile.
public struct ProfilePatch: Codable, Sendable {
    public var name: Name?
    public var description: RemovableText?
    /// A `null` removes the label.
    public var labels: [String: String?]?
    public var settings: ProfileSettingsPatch?
    /// New user-data; the empty text takes it away.
    public var cloudInit: Secret?
    /// A new network-config; the empty text takes it away.
    public var networkConfig: Secret?
    public init() {}
}

/// A merge patch of a profile's settings: what is absent stays, and `null` takes a setting away.
public struct ProfileSettingsPatch: Codable, Hashable, Sendable {
    public var image: Removable<Reference>?
    public var clone: Removable<CloneMode>?
    public var cpus: Removable<Int>?
    public var memoryBytes: Removable<ByteCount>?
    public var maxCpus: Removable<Int>?
    public var maxMemoryBytes: Removable<ByteCount>?
    public var firmware: Removable<Firmware>?
    public var tpm: Removable<Bool>?
    public var graphics: Removable<GraphicsKind>?
    public var machine: Removable<String>?
    public var cpuModel: Removable<String>?
    public var disk: Removable<DiskSpec>?
    public var networks: Removable<[NICSpec]>?
    public var user: Removable<String>?
    public var sshKeys: Removable<[String]>?
    public var labels: Removable<[String: String]>?
    public var description: Removable<String>?
    public var autostart: Removable<Bool>?
    public var autostartOrder: Removable<Int>?
    public var autostartDelaySeconds: Removable<Int>?
    public var onCrash: Removable<CrashAction>?
    public var protected: Removable<Bool>?

    /// Sets what is given, and changes nothing else.
    public init(_ new: ProfileSettings) {
        for field in Self.fields { field.set(&self, new) }
    }

    /// Takes a setting away.
    /// - Returns: `false` where there is no setting of that name.
    public mutating func remove(_ name: String) -> Bool {
        guard let field = Self.fields.first(where: { $0.name == name }) else { return false }
        field.remove(&self)
        return true
    }

    /// The settings after the change.
    public func applied(to old: ProfileSettings) -> ProfileSettings {
        var settings = old
        for field in Self.fields { field.apply(self, &settings) }
        return settings
    }

    /// The names of all settings.
    public static var names: [String] { fields.map(\.name) }

    private struct Field {
        let name: String
        let set: (inout ProfileSettingsPatch, ProfileSettings) -> Void
        let remove: (inout ProfileSettingsPatch) -> Void
        let apply: (ProfileSettingsPatch, inout ProfileSettings) -> Void

        init<Value>(
            _ name: String, _ patch: WritableKeyPath<ProfileSettingsPatch, Removable<Value>?>,
            _ settings: WritableKeyPath<ProfileSettings, Value?>
        ) {
            self.name = name
            set = { $0[keyPath: patch] = $1[keyPath: settings].map { Removable($0) } }
            remove = { $0[keyPath: patch] = Removable(nil) }
            apply = { if let change = $0[keyPath: patch] { $1[keyPath: settings] = change.value } }
        }
    }

    private static var fields: [Field] {
        [
            Field("image", \.image, \.image), Field("clone", \.clone, \.clone),
            Field("cpus", \.cpus, \.cpus), Field("memoryBytes", \.memoryBytes, \.memoryBytes),
            Field("maxCpus", \.maxCpus, \.maxCpus),
            Field("maxMemoryBytes", \.maxMemoryBytes, \.maxMemoryBytes),
            Field("firmware", \.firmware, \.firmware), Field("tpm", \.tpm, \.tpm),
            Field("graphics", \.graphics, \.graphics),
            Field("machine", \.machine, \.machine), Field("cpuModel", \.cpuModel, \.cpuModel),
            Field("disk", \.disk, \.disk), Field("networks", \.networks, \.networks),
            Field("user", \.user, \.user), Field("sshKeys", \.sshKeys, \.sshKeys),
            Field("labels", \.labels, \.labels), Field("description", \.description, \.description),
            Field("autostart", \.autostart, \.autostart),
            Field("autostartOrder", \.autostartOrder, \.autostartOrder),
            Field("autostartDelaySeconds", \.autostartDelaySeconds, \.autostartDelaySeconds),
            Field("onCrash", \.onCrash, \.onCrash), Field("protected", \.protected, \.protected),
        ]
    }
}
