// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// What must hold for a request by itself, whatever the host is: all problems at once.
enum VMRules {
    static func problems(_ request: VMCreate) -> [FieldProblem] {
        if let xml = request.xml { return problems(besideXML: request, xml) }
        return sourceProblems(request) + sizeProblems(request) + diskProblems(request) + nicProblems(request)
            + LabelRules.problems(request.labels ?? [:]) + textProblems(request)
            + StartRules.problems(request)
            + SeedRequest(request, id: ObjectID.example, macs: []).problems()
    }

    /// A definition says all of the hardware, and a guest's accounts are in its seed, which is a disk.
    private static func problems(besideXML request: VMCreate, _ xml: Secret) -> [FieldProblem] {
        let said: [(String, Any?)] = [
            ("profile", request.profile), ("image", request.image), ("clone", request.clone),
            ("cdrom", request.cdrom), ("import", request.import), ("kernel", request.kernel),
            ("initrd", request.initrd), ("cmdline", request.cmdline), ("cpus", request.cpus),
            ("memoryBytes", request.memoryBytes), ("maxCpus", request.maxCpus),
            ("maxMemoryBytes", request.maxMemoryBytes), ("disks", request.disks),
            ("networks", request.networks), ("user", request.user), ("sshKeys", request.sshKeys),
            ("cloudInit", request.cloudInit), ("networkConfig", request.networkConfig),
            ("firmware", request.firmware), ("tpm", request.tpm), ("graphics", request.graphics),
            ("machine", request.machine), ("cpuModel", request.cpuModel),
        ]
        var problems = said.filter { $1 != nil }.map { field, _ in
            FieldProblem(field, "beside xml, which says all of the hardware; change it there")
        }
        if xml.reveal().utf8.count > Limits.xml {
            problems.append(FieldProblem("xml", "at most \(Limits.xml) bytes"))
        }
        return problems + LabelRules.problems(request.labels ?? [:])
            + TextRules.problems("description", request.description, Limits.description)
            + StartRules.problems(request)
    }

    private static func sourceProblems(_ request: VMCreate) -> [FieldProblem] {
        var problems: [FieldProblem] = []
        let sources = [
            request.image != nil, request.import != nil, request.cdrom != nil, request.kernel != nil,
        ]
        if !sources.contains(true) {
            problems.append(FieldProblem("image", "say what it boots: image, cdrom, import, kernel or xml"))
        }
        if request.image != nil, request.import != nil {
            problems.append(
                FieldProblem("import", "image and import both make the first disk; give one of them"))
        }
        if request.clone != nil, request.image == nil {
            problems.append(FieldProblem("clone", "linked and full are ways to use an image; there is none"))
        }
        for (name, value) in [("initrd", request.initrd), ("cmdline", request.cmdline)]
        where value != nil && request.kernel == nil {
            problems.append(FieldProblem(name, "this goes with kernel; there is none"))
        }
        return problems
    }

    private static func sizeProblems(_ request: VMCreate) -> [FieldProblem] {
        var problems: [FieldProblem] = []
        let cpus = request.cpus ?? 1
        let mostCPUs = Limits.cpus.upperBound
        if !Limits.cpus.contains(cpus) {
            problems.append(FieldProblem("cpus", "from \(Limits.cpus.lowerBound) to \(mostCPUs) CPUs"))
        }
        if let most = request.maxCpus, most < cpus || !Limits.cpus.contains(most) {
            problems.append(FieldProblem("maxCpus", "from cpus (\(cpus)) to \(mostCPUs)"))
        }
        let memory = request.memoryBytes?.bytes ?? VMPlanner.defaultMemory
        let least = ByteCount.human(Limits.memoryBytes.lowerBound)
        let mostMemory = ByteCount.human(Limits.memoryBytes.upperBound)
        if memory < Limits.memoryBytes.lowerBound {
            problems.append(FieldProblem("memoryBytes", "at least \(least)"))
        }
        if memory > Limits.memoryBytes.upperBound {
            problems.append(FieldProblem("memoryBytes", "at most \(mostMemory)"))
        }
        if let most = request.maxMemoryBytes?.bytes, most < memory || !Limits.memoryBytes.contains(most) {
            problems.append(FieldProblem("maxMemoryBytes", "from memoryBytes (\(memory)) to \(mostMemory)"))
        }
        return problems
    }

    /// What must hold for a patch of the hardware by itself; what depends on the VM is found with its
    /// definition.
    static func problems(_ patch: VMPatch) -> [FieldProblem] {
        var problems: [FieldProblem] = []
        for (field, count) in [("cpus", patch.cpus), ("maxCpus", patch.maxCpus)] {
            guard let count, !Limits.cpus.contains(count) else { continue }
            let range = "from \(Limits.cpus.lowerBound) to \(Limits.cpus.upperBound) CPUs"
            problems.append(FieldProblem(field, range))
        }
        for (field, size) in [("memoryBytes", patch.memoryBytes), ("maxMemoryBytes", patch.maxMemoryBytes)] {
            guard let size, !Limits.memoryBytes.contains(size.bytes) else { continue }
            let least = ByteCount.human(Limits.memoryBytes.lowerBound)
            let most = ByteCount.human(Limits.memoryBytes.upperBound)
            problems.append(FieldProblem(field, "from \(least) to \(most)"))
        }
        problems += TextRules.problems("machine", patch.machine, Limits.model)
        problems += TextRules.problems("cpuModel", patch.cpuModel, Limits.model)
        problems += TextRules.problems("cmdline", patch.cmdline?.text, Limits.cmdline)
        return problems + handProblems(patch) + StartRules.problems(patch)
    }

    private static func handProblems(_ patch: VMPatch) -> [FieldProblem] {
        var problems: [FieldProblem] = []
        for (field, path) in [("kernel", patch.kernel), ("initrd", patch.initrd)] {
            guard let path = path?.orNil else { continue }
            if !path.hasPrefix("/") || path.utf8.count > Limits.path || !Limits.isPlain(path) {
                problems.append(FieldProblem(field, "an absolute path on the host"))
            }
        }
        if (patch.xmlPatch ?? []).count > Limits.xmlPatches {
            problems.append(FieldProblem("xmlPatch", "at most \(Limits.xmlPatches) changes"))
        }
        for (index, change) in (patch.xmlPatch ?? []).enumerated() {
            problems += TextRules.problems("xmlPatch[\(index)].xpath", change.xpath, Limits.path)
            problems += TextRules.problems("xmlPatch[\(index)].value", change.value.text, Limits.cmdline)
        }
        if (patch.xml ?? "").utf8.count > Limits.xml {
            problems.append(FieldProblem("xml", "at most \(Limits.xml) bytes"))
        }
        return problems
    }

    private static func diskProblems(_ request: VMCreate) -> [FieldProblem] {
        let disks = request.disks ?? []
        var problems: [FieldProblem] = []
        if disks.count > Limits.disks {
            problems.append(FieldProblem("disks", "at most \(Limits.disks) disks"))
        }
        for (index, disk) in disks.enumerated() {
            let first = index == 0 && request.image != nil
            problems += self.problems(
                disk, "disks[\(index)]", fromImage: first, linked: request.clone != .full)
        }
        return problems
    }

    /// - Parameter place: where in the request it is: `disks[0]`, or nothing.
    static func problems(
        _ disk: DiskSpec, _ place: String, fromImage: Bool = false, linked: Bool = false
    ) -> [FieldProblem] {
        let field = { (name: String) in place.isEmpty ? name : "\(place).\(name)" }
        var problems: [FieldProblem] = []
        if disk.sizeBytes == nil, !fromImage {
            problems.append(FieldProblem(field("sizeBytes"), "a new, empty disk needs a size"))
        }
        if let size = disk.sizeBytes?.bytes, !Limits.diskBytes.contains(size) || size % 512 != 0 {
            problems.append(
                FieldProblem(field("sizeBytes"), "at least 1 MiB, in whole sectors of 512 bytes"))
        }
        if let format = disk.format, format != .qcow2, format != .raw {
            problems.append(FieldProblem(field("format"), "a VM's disk is qcow2 or raw"))
        }
        if fromImage, linked, disk.format == .raw {
            problems.append(
                FieldProblem(field("format"), "a linked clone is qcow2; raw needs a full clone (--full)"))
        }
        if fromImage, linked, let preallocation = disk.preallocation, preallocation != .off {
            problems.append(FieldProblem(field("preallocation"), "a linked clone cannot be preallocated"))
        }
        if disk.format == .raw, disk.preallocation == .metadata {
            problems.append(FieldProblem(field("preallocation"), "raw has no metadata; use falloc or full"))
        }
        return problems
    }

    private static func nicProblems(_ request: VMCreate) -> [FieldProblem] {
        let nics = request.networks ?? []
        let tooMany =
            nics.count > Limits.nics ? [FieldProblem("networks", "at most \(Limits.nics) NICs")] : []
        let cpus = max(request.cpus ?? 1, request.maxCpus ?? 1)
        return tooMany + problems(nics: nics, cpus: cpus) { "networks[\($0)].\($1)" }
    }

    /// - Parameters:
    ///   - cpus: those that the VM has or may get; `nil`: nothing is known of it.
    ///   - field: where a field of the NIC of that number is in the request.
    static func problems(nics: [NICSpec], cpus: Int?, field: (Int, String) -> String) -> [FieldProblem] {
        var problems: [FieldProblem] = []
        var seen: Set<String> = []
        for (index, nic) in nics.enumerated() {
            if let mac = nic.mac?.lowercased() {
                if let problem = macProblem(mac) {
                    problems.append(FieldProblem(field(index, "mac"), problem))
                }
                if !seen.insert(mac).inserted {
                    problems.append(FieldProblem(field(index, "mac"), "this MAC is here twice"))
                }
            }
            problems += NICRules.problems(nic, cpus: cpus) { field(index, $0) }
        }
        let places = nics.compactMap(\.boot)
        if Set(places).count < places.count {
            problems.append(FieldProblem(field(0, "boot"), "two NICs cannot have one place"))
        }
        return problems
    }

    /// `nil` for a unicast MAC such as `52:54:00:12:34:56`.
    static func macProblem(_ text: String) -> String? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { $0.utf8.count == 2 ? UInt8($0, radix: 16) : nil }
        guard parts.count == 6, bytes.count == 6 else { return "a MAC looks like 52:54:00:12:34:56" }
        guard bytes[0] & 1 == 0 else { return "this is a multicast address; the first byte must be even" }
        return bytes.contains { $0 != 0 } ? nil : "all zeroes is no address"
    }

    private static func textProblems(_ request: VMCreate) -> [FieldProblem] {
        var problems: [FieldProblem] = []
        let texts: [(String, String?, Int)] = [
            ("description", request.description, Limits.description),
            ("cmdline", request.cmdline, Limits.cmdline),
            ("machine", request.machine, Limits.model), ("cpuModel", request.cpuModel, Limits.model),
        ]
        for (field, text, most) in texts { problems += TextRules.problems(field, text, most) }
        for (field, path) in [
            ("cdrom", request.cdrom), ("import", request.import), ("kernel", request.kernel),
            ("initrd", request.initrd),
        ] {
            guard let path else { continue }
            if !path.hasPrefix("/") || path.utf8.count > Limits.path || !Limits.isPlain(path) {
                problems.append(FieldProblem(field, "an absolute path on the host"))
            }
        }
        return problems
    }

    /// - Throws: ``Problem`` `request.invalid` with all of them, when there are any.
    static func refuse(_ problems: [FieldProblem]) throws {
        guard let first = problems.first else { return }
        let more = problems.count > 1 ? " (and \(problems.count - 1) more)" : ""
        throw Problem(.requestInvalid, "\(first.field): \(first.problem)\(more)", errors: problems)
    }
}
