// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// The host's tools as one import uses them. Each run bears the image's id, so that a replay finds and ends what a
/// dead daemon left running, before it writes to the same place.
struct ImageTools: Sendable {
    let run: String

    init(_ id: ObjectID) { run = "image-\(id)" }

    private var watched: QemuImg.Run { QemuImg.Run(name: run) }

    /// - Throws: ``Problem`` `tool.failed` when a process of an earlier run cannot be ended.
    func endEarlier() async throws {
        guard await ProcessRecord.endAll(run: run) else {
            throw Problem(
                .toolFailed, "a process of an earlier attempt does not end; the kernel holds it",
                hint: "look for a hung disk: ps -eo pid,stat,wchan,args")
        }
    }

    /// One run of curl; that it failed is for the caller to judge.
    /// - Throws: ``ToolError`` when it is missing or could not be run at all.
    func curl(_ arguments: [String]) async throws -> CurlAnswer {
        var tool = Tool("curl", arguments)
        tool.run = run
        tool.environment = Self.proxies
        do {
            try await tool.run()
            return CurlAnswer(status: 0)
        } catch let error as ToolError {
            guard let status = error.status else { throw error }
            return CurlAnswer(status: status, message: error.stderr)
        }
    }

    /// Where the host's own settings send downloads.
    private static let proxies = ProcessInfo.processInfo.environment.filter { name, _ in
        ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"].contains(name)
    }

    /// The format and the guest's size of a file that stands alone, and is whole as far as its own tables say.
    /// - Throws: ``Problem`` `image.format`, `image.backingFile`, `image.corrupt`.
    func inspect(_ path: String, declared: DiskFormat?) async throws -> (format: DiskFormat, virtualSize: Int64) {
        let probe = try ImageProbe(path: path)
        // Declared raw is raw, whatever its bytes look like: a guest's disk may hold anything.
        let format = declared == .raw ? .raw : probe.format
        if let declared, declared != format { throw Self.otherFormat(format, declared) }
        if let refusal = probe.refusal, format == probe.format { throw Self.problem(refusal) }
        let info = try await opened(path, format)
        if let file = info.backingFile { throw Self.foreignFile("a backing file", file) }
        if let file = info.dataFile { throw Self.foreignFile("an external data file", file) }
        if info.isEncrypted { throw Self.encrypted }
        try await check(path, format)
        return (format, info.virtualSizeBytes)
    }

    private func opened(_ path: String, _ format: DiskFormat) async throws -> QemuImg.Info {
        do {
            return try await QemuImg.info(QemuImg.Image(path, format))
        } catch let error as ToolError where error.status != nil {
            throw Self.corrupt("it cannot be opened as \(format.rawValue)", error.stderr)
        }
    }

    private func check(_ path: String, _ format: DiskFormat) async throws {
        if format == .vdi { try Self.checkLength(ofVDI: path) }
        do {
            guard try await QemuImg.check(QemuImg.Image(path, format), watched) == .corrupt else { return }
            throw Self.corrupt("qemu-img check found damage")
        } catch let error as ToolError where error.status != nil {
            throw Self.corrupt("qemu-img check found damage", error.stderr)
        }
    }

    /// `qemu-img check` does not notice that a VDI is cut off.
    private static func checkLength(ofVDI path: String) throws {
        let file = try ImageFile(path: path)
        let head = file.read(512, at: 0)
        guard let data = head.little32(344), let block = head.little32(376), let extra = head.little32(380),
            let allocated = head.little32(388)
        else { throw corrupt("its header is cut off") }
        let blocks = Int64(allocated).multipliedReportingOverflow(by: Int64(block) + Int64(extra))
        guard !blocks.overflow, file.size >= Int64(data), blocks.partialValue <= file.size - Int64(data) else {
            throw corrupt("it has \(file.size) bytes, fewer than its header says")
        }
    }

    /// The bytes that a conversion will write, at most.
    func measure(_ source: QemuImg.Image, as format: DiskFormat) async throws -> Int64 {
        do {
            return try await QemuImg.measure(source, as: format).required
        } catch let error as ToolError where error.status != nil {
            throw Self.corrupt("its content cannot be read", error.stderr)
        }
    }

    /// Writes the disk in another format; `progress` gets the part that is done, 0 to 1.
    func convert(
        _ source: QemuImg.Image, to target: QemuImg.Image, _ progress: @Sendable @escaping (Double) -> Void
    ) async throws {
        try await QemuImg.convert(source, to: target, watched, progress: progress)
    }

    /// Copies a file, its holes too.
    func copy(_ path: String, to target: String) async throws {
        var tool = Tool("cp", ["--sparse=always", "--reflink=auto", "--", path, target])
        tool.run = run
        try await tool.run()
    }
}

extension ImageTools {
    private static func problem(_ refusal: ImageProbe.Refusal) -> Problem {
        switch refusal {
        case .backingFile(let name): foreignFile("a backing file", name)
        case .dataFile(let name): foreignFile("an external data file", name)
        case .encrypted: encrypted
        case .corrupt: corrupt("it is marked as inconsistent")
        case .truncated: corrupt("it ends before what its header says")
        case .invalid(let field): corrupt("its header has an impossible \(field)")
        case .empty: corrupt("it is empty")
        case .unsupported(let kind):
            Problem(
                .imageFormat, "the content is \(kind); qcow2, raw, vmdk, vdi, vhdx and vpc can be imported",
                hint: "qemu-img convert -O qcow2 SOURCE image.qcow2, and import image.qcow2")
        }
    }

    private static func otherFormat(_ found: DiskFormat, _ declared: DiskFormat) -> Problem {
        Problem(
            .imageFormat, "the content is \(found.rawValue), and \(declared.rawValue) was declared",
            hint: "declare \(found.rawValue), or leave the format out")
    }

    private static func corrupt(_ detail: String, _ said: String = "") -> Problem {
        let words = said.isEmpty ? "" : ": \(shown(said, limit: 300))"
        return Problem(
            .imageCorrupt, "the image is damaged or cut off: \(detail)\(words)",
            hint: "fetch it again and compare its checksum with its publisher's")
    }

    private static func foreignFile(_ what: String, _ name: String) -> Problem {
        Problem(
            .imageBackingFile, "the image reads from \(what), \(shown(name)); an image must stand alone",
            hint: "qemu-img convert -O qcow2 SOURCE whole.qcow2, and import whole.qcow2")
    }

    private static var encrypted: Problem {
        Problem(.imageFormat, "the image is encrypted, and vctl has no key for it", hint: "import it decrypted")
    }
}
