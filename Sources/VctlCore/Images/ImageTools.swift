// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// The host's tools that an import uses, with arguments that never pass a shell.
struct ImageTools: Sendable {
    /// One run of curl; that it failed is for the caller to judge.
    func curl(_ arguments: [String]) async throws -> CurlAnswer {
        let result = try await Tool.run("curl", arguments)
        return CurlAnswer(status: result.status, code: Int(result.output) ?? 0, message: result.errors)
    }

    /// What qemu-img says of a disk.
    struct Found: Sendable {
        var format: DiskFormat
        var virtualSize: Int64
    }

    /// The format and the guest's size of a file that reads from no other file.
    /// - Throws: ``Problem`` `image.format`, `image.backingFile`, `image.corrupt`.
    func probe(_ path: String) async throws -> Found {
        let format = try ImageProbe.format(ofFileAt: path)
        try ImageHeader.check(path, format)
        let result = try await Tool.run(
            "qemu-img", ["info", "--output=json", "-f", format.rawValue, path])
        guard result.status == 0, let info = try? JSON.value(Info.self, result.output) else {
            throw Self.corrupt("it cannot be opened as \(format.rawValue)", result.errors)
        }
        if let backing = info.backing { throw Self.foreignFile("a backing file", backing) }
        if let data = info.formatSpecific?.data?.dataFile { throw Self.foreignFile("an external data file", data) }
        guard info.encrypted != true else { throw Self.encrypted }
        return Found(format: format, virtualSize: info.virtualSize)
    }

    /// The disk's own tables, compared with themselves and with the size of the file.
    /// - Throws: ``Problem`` `image.corrupt`.
    func check(_ path: String, _ format: DiskFormat, size: Int64) async throws {
        guard format != .raw else { return }
        let result = try await Tool.run("qemu-img", ["check", "--output=json", "-f", format.rawValue, path])
        // 3: leaked clusters, which lose room and no data. 63: the format has nothing to check.
        guard [0, 3, 63].contains(result.status) else {
            throw Self.corrupt("qemu-img check found damage", result.errors)
        }
    }

    private struct Info: Decodable {
        var virtualSize: Int64
        var backing: String?
        var encrypted: Bool?
        var formatSpecific: Specific?

        struct Specific: Decodable { var data: Details? }
        struct Details: Decodable {
            var dataFile: String?
            enum CodingKeys: String, CodingKey { case dataFile = "data-file" }
        }
        enum CodingKeys: String, CodingKey {
            case virtualSize = "virtual-size"
            case backing = "backing-filename"
            case encrypted
            case formatSpecific = "format-specific"
        }
    }

    /// The bytes that a conversion will write, at most.
    func measure(_ path: String, _ format: DiskFormat, as target: DiskFormat) async throws -> Int64 {
        let result = try await Tool.run(
            "qemu-img", ["measure", "--output=json", "-f", format.rawValue, "-O", target.rawValue, path])
        struct Measured: Decodable { var required: Int64 }
        guard result.status == 0, let measured = try? JSON.value(Measured.self, result.output) else {
            throw Self.corrupt("its content cannot be read", result.errors)
        }
        return measured.required
    }

    /// Writes the disk in another format; `progress` gets the share that is done, 0 to 1.
    func convert(
        _ path: String, _ format: DiskFormat, to target: String, _ targetFormat: DiskFormat,
        _ progress: @Sendable @escaping (Double) -> Void
    ) async throws {
        try await QemuImg.convert(
            from: path, format: format, to: target, format: targetFormat, preallocation: .off
        ) { percent in progress(Double(percent) / 100) }
    }

    /// Copies a file, its holes too.
    func copy(_ path: String, to target: String) async throws {
        let result = try await Tool.run("cp", ["--sparse=always", "--reflink=auto", "--", path, target])
        guard result.status == 0 else {
            throw Problem(.toolFailed, "the image could not be copied: \(shown(result.errors, limit: 300))")
        }
    }

    static func corrupt(_ detail: String, _ said: String = "") -> Problem {
        let words = said.isEmpty ? "" : ": \(shown(said, limit: 300))"
        return Problem(
            .imageCorrupt, "the image is damaged or cut off: \(detail)\(words)",
            hint: "fetch it again and compare its checksum with its publisher's")
    }

    static func foreignFile(_ what: String, _ name: String) -> Problem {
        Problem(
            .imageBackingFile, "the image reads from \(what), \(shown(name)); an image must stand alone",
            hint: "qemu-img convert -O qcow2 SOURCE whole.qcow2, and import whole.qcow2")
    }

    static var encrypted: Problem {
        Problem(.imageFormat, "the image is encrypted, and vctl has no key for it", hint: "import it decrypted")
    }
}
