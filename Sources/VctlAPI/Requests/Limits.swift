// SPDX-License-Identifier: Apache-2.0

/// What single fields of requests may hold, said once: the rules check it, and the published document tells
/// it.
public enum Limits {
    public static let cpus = 1...255
    /// Below 16 MiB no kernel that QEMU boots gets to its first line; 16 TiB is the most that QEMU addresses.
    public static let memoryBytes: ClosedRange<Int64> = 16 << 20...1 << 44
    public static let diskBytes: ClosedRange<Int64> = 1 << 20...ByteCount.maximum
    public static let disks = 24
    public static let nics = 8
    public static let nicModels = ["virtio", "e1000", "e1000e", "rtl8139"]
    /// Queues of a NIC; Linux has no more for a TAP.
    public static let nicQueues = 1...256
    /// A NIC's place in the boot order.
    public static let nicBoot = 1...99
    /// Addresses of one NIC that are said.
    public static let nicAddresses = 32
    public static let burstBytes: ClosedRange<Int64> = 1 << 10...1 << 30
    /// How long a guest may take to stop.
    public static let graceSeconds = 0...86400
    public static let autostartOrder = 0...9999
    public static let autostartDelaySeconds = 0...86400
    /// How long one request waits for a condition.
    public static let waitSeconds = 0...300
    /// Characters of a description.
    public static let description = 1024
    /// Characters of a kernel's command line.
    public static let cmdline = 2048
    /// Characters of a machine type or a CPU model.
    public static let model = 64
    /// Characters of a path on the host.
    public static let path = 1024
    public static let labels = 64
    /// Changes by XPath in one request.
    public static let xmlPatches = 64
    /// Characters of a definition.
    public static let xml = 512 << 10
    /// Characters of a label's key.
    public static let labelKey = 63
    /// Characters of a label's value.
    public static let labelValue = 255

    /// What ``isPlain(_:)`` says, as a pattern.
    static let plain = "^[^\\u0000-\\u001f\\u007f-\\u009f\\ufffe\\uffff]*$"
    static let labelKeyPattern = "^[A-Za-z0-9._/-]{1,63}$"

    /// Whether a text is one line that any document can hold: no control characters, and none of the two that
    /// XML forbids. A domain whose definition holds one of those can be written, and never read again.
    public static func isPlain(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy {
            $0.properties.generalCategory != .control && $0.value != 0xFFFE && $0.value != 0xFFFF
        }
    }
}

/// A request's type that limits some of its fields more than their types do.
protocol FieldLimits {
    /// The schemas of these fields, by name.
    static var limits: [String: Schema] { get }
}

extension Schema {
    static func whole(_ range: ClosedRange<Int>) -> Schema {
        Schema(
            type: "integer", format: "int64", minimum: Int64(range.lowerBound),
            maximum: Int64(range.upperBound))
    }

    static func removable(_ range: ClosedRange<Int>) -> Schema {
        var schema = whole(range)
        schema.nullable = true
        return schema
    }

    static func bytes(_ range: ClosedRange<Int64>) -> Schema {
        Schema(type: "integer", format: "int64", minimum: range.lowerBound, maximum: range.upperBound)
    }

    static func plainText(_ most: Int) -> Schema {
        Schema(type: "string", pattern: Limits.plain, maxLength: most)
    }

    static func removableText(_ most: Int) -> Schema {
        var schema = plainText(most)
        schema.nullable = true
        return schema
    }

    static let hostPath = Schema(type: "string", pattern: "^/", maxLength: Limits.path)

    /// Labels; those of a patch may be `null`.
    static func labels(nullable: Bool) -> Schema {
        var value = plainText(Limits.labelValue)
        value.nullable = nullable
        var schema = Schema(type: "object", additional: value)
        schema.keyPattern = Limits.labelKeyPattern
        // A patch may take away more than an object can have.
        schema.maxProperties = nullable ? nil : Limits.labels
        return schema
    }

    func atMost(_ items: Int) -> Schema {
        var schema = self
        schema.maxItems = items
        return schema
    }
}

extension VMCreate: FieldLimits {
    static var limits: [String: Schema] {
        [
            "description": .plainText(Limits.description), "cmdline": .plainText(Limits.cmdline),
            "machine": .plainText(Limits.model), "cpuModel": .plainText(Limits.model),
            "cdrom": .hostPath, "import": .hostPath, "kernel": .hostPath, "initrd": .hostPath,
            "cpus": .whole(Limits.cpus), "maxCpus": .whole(Limits.cpus),
            "memoryBytes": .bytes(Limits.memoryBytes), "maxMemoryBytes": .bytes(Limits.memoryBytes),
            "disks": SchemaProbe.schema(of: [DiskSpec].self).atMost(Limits.disks),
            "networks": SchemaProbe.schema(of: [NICSpec].self).atMost(Limits.nics),
            "labels": .labels(nullable: false),
            "autostartOrder": .whole(Limits.autostartOrder),
            "autostartDelaySeconds": .whole(Limits.autostartDelaySeconds),
            "xml": Schema(type: "string", maxLength: Limits.xml, writeOnly: true),
        ]
    }
}

extension ProfileSettings: FieldLimits {
    static var limits: [String: Schema] {
        let names = [
            "description", "machine", "cpuModel", "cpus", "maxCpus", "memoryBytes", "maxMemoryBytes",
            "networks", "labels", "autostartOrder", "autostartDelaySeconds",
        ]
        return VMCreate.limits.filter { names.contains($0.key) }
    }
}

extension ProfileSettingsPatch: FieldLimits {
    static var limits: [String: Schema] {
        ProfileSettings.limits.mapValues { schema in
            var schema = schema
            schema.nullable = true
            return schema
        }
    }
}

extension ProfileCreate: FieldLimits {
    static var limits: [String: Schema] {
        ["description": .plainText(Limits.description), "labels": .labels(nullable: false)]
    }
}

extension ProfilePatch: FieldLimits {
    static var limits: [String: Schema] {
        ["description": .removableText(Limits.description), "labels": .labels(nullable: true)]
    }
}

extension DiskSpec: FieldLimits {
    static var limits: [String: Schema] { ["sizeBytes": .bytes(Limits.diskBytes)] }
}

extension NICSpec: FieldLimits {
    static var limits: [String: Schema] {
        let mac = "^[0-9A-Fa-f][02468ACEace](:[0-9A-Fa-f]{2}){5}$"
        return [
            "mac": Schema(type: "string", pattern: mac),
            "model": Schema(type: "string", values: Limits.nicModels),
            "queues": .whole(Limits.nicQueues), "boot": .whole(Limits.nicBoot),
            "ip": SchemaProbe.schema(of: [IPAddress].self).atMost(Limits.nicAddresses),
        ]
    }
}

extension VMNICPatch: FieldLimits {
    static var limits: [String: Schema] {
        [
            "model": Schema(type: "string", values: Limits.nicModels),
            "queues": .removable(Limits.nicQueues), "boot": .removable(Limits.nicBoot),
        ]
    }
}

extension SecurityGroupCreate: FieldLimits {
    static var limits: [String: Schema] {
        ["description": .plainText(Limits.description), "labels": .labels(nullable: false)]
    }
}

extension SecurityGroupPatch: FieldLimits {
    static var limits: [String: Schema] {
        ["description": .removableText(Limits.description), "labels": .labels(nullable: true)]
    }
}

extension RateLimit: FieldLimits {
    static var limits: [String: Schema] { ["burstBytes": .bytes(Limits.burstBytes)] }
}

extension VMPatch: FieldLimits {
    static var limits: [String: Schema] {
        [
            "description": .removableText(Limits.description), "labels": .labels(nullable: true),
            "cpus": .whole(Limits.cpus), "maxCpus": .whole(Limits.cpus),
            "memoryBytes": .bytes(Limits.memoryBytes), "maxMemoryBytes": .bytes(Limits.memoryBytes),
            "machine": .plainText(Limits.model), "cpuModel": .plainText(Limits.model),
            "kernel": .removableText(Limits.path), "initrd": .removableText(Limits.path),
            "cmdline": .removableText(Limits.cmdline),
            "xmlPatch": SchemaProbe.schema(of: [XMLPatch].self).atMost(Limits.xmlPatches),
            "xml": Schema(type: "string", maxLength: Limits.xml),
            "autostartOrder": .removable(Limits.autostartOrder),
            "autostartDelaySeconds": .removable(Limits.autostartDelaySeconds),
        ]
    }
}

extension XMLPatch: FieldLimits {
    static var limits: [String: Schema] {
        [
            "xpath": Schema(type: "string", pattern: Limits.plain, maxLength: Limits.path),
            "value": .removableText(Limits.cmdline),
        ]
    }
}

extension VMDiskAdd: FieldLimits {
    static var limits: [String: Schema] { ["sizeBytes": .bytes(Limits.diskBytes), "path": .hostPath] }
}

extension VMDiskResize: FieldLimits {
    static var limits: [String: Schema] { ["sizeBytes": .bytes(Limits.diskBytes)] }
}

extension VMDiskInsert: FieldLimits {
    static var limits: [String: Schema] { ["path": .hostPath] }
}

extension VMAdopt: FieldLimits {
    static var limits: [String: Schema] { ["labels": .labels(nullable: false)] }
}

extension VMStart: FieldLimits {
    static var limits: [String: Schema] { ["rescueISO": .hostPath] }
}

extension VMStop: FieldLimits {
    static var limits: [String: Schema] { ["graceSeconds": .whole(Limits.graceSeconds)] }
}

extension VMRestart: FieldLimits {
    static var limits: [String: Schema] { ["graceSeconds": .whole(Limits.graceSeconds)] }
}

extension VMWait: FieldLimits {
    static var limits: [String: Schema] { ["timeoutSeconds": .whole(Limits.waitSeconds)] }
}

extension ImageCreate: FieldLimits {
    static var limits: [String: Schema] {
        ["description": .plainText(Limits.description), "labels": .labels(nullable: false)]
    }
}

extension ImagePatch: FieldLimits {
    static var limits: [String: Schema] {
        ["description": .removableText(Limits.description), "labels": .labels(nullable: true)]
    }
}
