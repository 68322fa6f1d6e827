// SPDX-License-Identifier: Apache-2.0
import VctlAPI

extension VMCreate {
    /// The request with the profile's word wherever it says nothing itself.
    func filled(from profile: Profile, _ texts: ProfileTexts) -> VMCreate {
        var full = self
        let settings = profile.settings
        // A profile's image is for requests that do not say what to boot.
        if image == nil, `import` == nil, cdrom == nil, kernel == nil {
            full.image = settings.image
        }
        if full.image != nil { full.clone = clone ?? settings.clone }
        full.fillHardware(settings)
        full.fillGuest(settings, texts)
        full.fillLife(settings)
        full.labels = (settings.labels ?? [:]).merging(labels ?? [:]) { $1 }
        full.description = description ?? settings.description
        return full
    }

    private mutating func fillHardware(_ settings: ProfileSettings) {
        cpus = cpus ?? settings.cpus
        memoryBytes = memoryBytes ?? settings.memoryBytes
        maxCpus = maxCpus ?? settings.maxCpus
        maxMemoryBytes = maxMemoryBytes ?? settings.maxMemoryBytes
        firmware = firmware ?? settings.firmware
        tpm = tpm ?? settings.tpm
        graphics = graphics ?? settings.graphics
        machine = machine ?? settings.machine
        cpuModel = cpuModel ?? settings.cpuModel
        networks = networks ?? settings.networks
        guard let defaults = settings.disk else { return }
        // The size is for the disk that is made from the image, which is there even when none is named.
        if image != nil, (disks ?? []).isEmpty { disks = [DiskSpec(sizeBytes: defaults.sizeBytes)] }
        disks = disks?.map { $0.filled(from: defaults) }
    }

    /// Texts for cloud-init stand in place of what a user and keys make, so who gives one of them gives all.
    private mutating func fillGuest(_ settings: ProfileSettings, _ texts: ProfileTexts) {
        let saysUser = user != nil || sshKeys != nil
        if cloudInit == nil {
            user = user ?? settings.user
            sshKeys = sshKeys ?? settings.sshKeys
            if !saysUser, let text = texts.cloudInit { (cloudInit, user, sshKeys) = (text, nil, nil) }
        }
        networkConfig = networkConfig ?? texts.networkConfig
    }

    private mutating func fillLife(_ settings: ProfileSettings) {
        if autostart != false {
            autostartOrder = autostartOrder ?? settings.autostartOrder
            autostartDelaySeconds = autostartDelaySeconds ?? settings.autostartDelaySeconds
        }
        autostart = autostart ?? settings.autostart
        onCrash = onCrash ?? settings.onCrash
        protected = protected ?? settings.protected
    }
}

extension DiskSpec {
    fileprivate func filled(from defaults: DiskSpec) -> DiskSpec {
        var disk = self
        disk.pool = pool ?? defaults.pool
        disk.bus = bus ?? defaults.bus
        disk.format = format ?? defaults.format
        disk.preallocation = preallocation ?? defaults.preallocation
        return disk
    }
}

/// What must hold for a profile by itself.
enum ProfileRules {
    static func problems(
        _ settings: ProfileSettings, _ texts: ProfileTexts, labels: [String: String], description: String?
    ) throws -> [FieldProblem] {
        var probe = VMCreate(name: Name.example)
        probe.kernel = "/kernel"
        // A request may say more CPUs than the profile, and so allow more queues.
        probe.cpus = settings.cpus ?? settings.maxCpus ?? Limits.cpus.upperBound
        var profile = Profile(id: .example, name: Name.example, settings: settings, createdAt: .now)
        profile.settings.image = nil
        profile.settings.clone = nil
        // A profile's disk need have no size.
        if let disk = settings.disk {
            var sized = disk
            sized.sizeBytes = try disk.sizeBytes ?? ByteCount(bytes: 1 << 30)
            probe.disks = [sized]
        }
        var problems = VMRules.problems(probe.filled(from: profile, texts)).map { problem in
            let field = problem.field.replacing("disks[0]", with: "disk")
            return FieldProblem(Self.secrets.contains(field) ? field : "settings.\(field)", problem.problem)
        }
        for (index, nic) in (settings.networks ?? []).enumerated() where nic.mac != nil {
            let reason = "two VMs with one address would get each other's packets"
            problems.append(FieldProblem("settings.networks[\(index)].mac", reason))
        }
        for (index, nic) in (settings.networks ?? []).enumerated() where nic.ip != nil {
            let reason = "two VMs with one address would be taken for each other"
            problems.append(FieldProblem("settings.networks[\(index)].ip", reason))
        }
        return problems + LabelRules.problems(labels)
            + TextRules.problems("description", description, Limits.description)
    }

    private static let secrets: Set<String> = ["cloudInit", "networkConfig"]
}
