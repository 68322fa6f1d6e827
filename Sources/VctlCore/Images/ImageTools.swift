// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// The host's tools, as an import uses them. Each that writes bears the path it writes to, so that a replay
/// finds and ends what a dead daemon left running.
enum ImageTools {
    /// One run of curl that writes to `path`; that it failed is for the caller to judge.
    /// - Throws: ``ToolError`` when it is missing or could not be run at all.
    static func curl(_ arguments: [String], to path: String) async throws -> CurlAnswer {
        var tool = Tool("curl", arguments)
        tool.run = path
        tool.environment = proxies
        do {
            try await tool.run()
            return CurlAnswer(status: 0)
        } catch let error as ToolError {
            guard let status = error.status else { throw error }
            return CurlAnswer(status: status, message: error.stderr)
        }
    }

    /// - Throws: ``Problem`` `tool.failed` when a process that writes to `path` cannot be ended.
    static func endEarlier(_ path: String) async throws {
        guard await ProcessRecord.endAll(run: path) else {
            throw Problem(
                .toolFailed, "a process of an earlier attempt does not end; the kernel holds it",
                hint: "look for a hung disk: ps -eo pid,stat,wchan,args")
        }
    }

    /// Where the host's own settings send downloads.
    private static let proxies = ProcessInfo.processInfo.environment.filter { name, _ in
        ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"]
            .contains(name)
    }

    /// The format and the guest's size of a file that stands alone, and is whole as far as its own tables
    /// say.
    /// - Throws: ``Problem`` `image.format`, `image.backingFile`, `image.corrupt`.
    static func inspect(_ path: String, declared: DiskFormat?) async throws -> (
        format: DiskFormat, virtualSize: Int64
    ) {
        let probe = try ImageProbe(path: path)
        // Declared raw is raw, whatever its bytes look like: a guest's disk may hold anything.
        let format = declared == .raw ? .raw : probe.format
        if let declared, declared != format { throw otherFormat(format, declared) }
        if let refusal = probe.refusal, format == probe.format { throw problem(refusal) }
        let info = try await opened(path, format)
        if let file = info.backingFile { throw foreignFile("a backing file", file) }
        if let file = info.dataFile { throw foreignFile("an external data file", file) }
        if info.isEncrypted { throw encrypted }
        try await check(path, format)
        return (format, info.virtualSizeBytes)
    }

    private static func opened(_ path: String, _ format: DiskFormat) async throws -> QemuImg.Info {
        do {
            return try await QemuImg.info(QemuImg.Image(path: path, format: format))
        } catch let error as ToolError where error.status != nil {
            throw corrupt("it cannot be opened as \(format.rawValue)", error.stderr)
        }
    }

    private static func check(_ path: String, _ format: DiskFormat) async throws {
        if format == .vdi { try checkLength(ofVDI: path) }
        do {
            guard try await QemuImg.check(QemuImg.Image(path: path, format: format)) == .corrupt else {
                return
            }
            throw corrupt("qemu-img check found damage")
        } catch let error as ToolError where error.status != nil {
            throw corrupt("qemu-img check found damage", error.stderr)
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
        guard !blocks.overflow, file.size >= Int64(data), blocks.partialValue <= file.size - Int64(data)
        else {
            throw corrupt("it has \(file.size) bytes, fewer than its header says")
        }
    }

    /// The bytes that a conversion will write: those that are not holes. Asked for qcow2 whatever the target
    /// is, since for raw the answer counts the holes too.
    static func measure(_ source: QemuImg.Image) async throws -> Int64 {
        do {
            return try await QemuImg.measure(source, as: .qcow2).required
        } catch let error as ToolError where error.status != nil {
            throw corrupt("its content cannot be read", error.stderr)
        }
    }

    /// Copies a file, its holes too.
    static func copy(_ path: String, to target: String) async throws {
        try await endEarlier(target)
        var tool = Tool("cp", ["--sparse=always", "--reflink=auto", "--", path, target])
        tool.run = target
        try await tool.run()
    }
}

extension ImageTools {
    /// Why a file with that refusal cannot be used.
    static func problem(_ refusal: ImageProbe.Refusal) -> Problem {
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
        Problem(
            .imageFormat, "the image is encrypted, and vctl has no key for it", hint: "import it decrypted")
    }
}
