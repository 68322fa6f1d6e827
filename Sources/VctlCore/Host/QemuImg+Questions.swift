// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import VctlAPI

extension QemuImg {
    /// What `qemu-img info` says.
    struct Info: Hashable, Sendable {
        var format: String
        var virtualSizeBytes: Int64
        /// Bytes that it takes on the host.
        var actualSizeBytes: Int64?
        var backingFile: String?
        var backingFormat: String?
        var dataFile: String?
        var isEncrypted: Bool
        var isDirty: Bool
        var isCorrupt: Bool
        /// `1.1` or `0.10` of a qcow2.
        var compat: String?
    }

    /// What `qemu-img check` found.
    enum CheckResult: Hashable, Sendable {
        case clean
        /// Blocks that belong to nothing: harmless.
        case leaks
        case corrupt
        /// The format has nothing that could be checked.
        case notCheckable
    }

    /// What a new image of some content would take.
    struct Measure: Decodable, Hashable, Sendable {
        /// Bytes for the content.
        var required: Int64
        /// Bytes once every block is written.
        var fullyAllocated: Int64

        private enum CodingKeys: String, CodingKey {
            case required
            case fullyAllocated = "fully-allocated"
        }
    }

    /// Reads an image's description. Probe it with ``ImageProbe`` first, where nobody trusts it.
    /// - Parameters:
    ///   - shared: whether a running guest may be writing to it.
    ///   - trusted: without it the tool runs within limits that an image made to exhaust the host runs into.
    /// - Throws: ``ToolError``.
    static func info(_ image: Image, shared: Bool = false, trusted: Bool = false) async throws -> Info {
        var words = ["info", "--output=json", "-f", image.format.rawValue]
        if shared { words.append("-U") }
        var tool = question(words + ["--", image.path])
        if !trusted { tool.limits = .untrustedImage }
        return try await Info(decode(InfoJSON.self, tool))
    }

    /// Looks for inconsistencies; writes nothing.
    /// - Throws: ``ToolError`` when the check itself fails.
    static func check(_ image: Image) async throws -> CheckResult {
        do {
            let words = ["check", "-q", "-f", image.format.rawValue, "--", image.path]
            try await Tool("qemu-img", words).run()
            return .clean
        } catch let error as ToolError {
            switch error.status {
            case 2: return .corrupt
            case 3: return .leaks
            case 63: return .notCheckable
            default: throw error
            }
        }
    }

    /// Asks what a copy in another format would take.
    /// - Throws: ``ToolError``.
    static func measure(_ image: Image, as format: DiskFormat, shared: Bool = false) async throws -> Measure {
        var words = ["measure", "--output=json", "-f", image.format.rawValue, "-O", format.rawValue]
        if shared { words.append("-U") }
        return try await decode(Measure.self, question(words + ["--", image.path]))
    }

    /// Where the last data of an image end, those that it reads from another one counted; behind it there are
    /// only zeroes.
    /// - Throws: ``ToolError``.
    static func dataEnd(_ image: Image) async throws -> Int64 {
        let words = ["map", "--output=json", "-f", image.format.rawValue, "--", image.path]
        let extents = try await decode([Extent].self, question(words))
        return extents.filter { $0.data && !$0.zero }.map { $0.start + $0.length }.max() ?? 0
    }

    /// A part of an image, as `qemu-img map` tells it.
    private struct Extent: Decodable {
        let start: Int64
        let length: Int64
        let zero: Bool
        let data: Bool
    }

    private static func question(_ words: [String]) -> Tool {
        Tool("qemu-img", words, deadline: .seconds(60))
    }

    private static func decode<Value: Decodable>(_ type: Value.Type, _ tool: Tool) async throws -> Value {
        let output = try await tool.run()
        guard let value = try? JSONDecoder().decode(type, from: Data(output.stdout)) else {
            throw tool.error(.unreadableOutput, stderr: output.stderr)
        }
        return value
    }
}

/// The JSON of `qemu-img info`, as far as it is used.
private struct InfoJSON: Decodable {
    let format: String
    let virtualSize: Int64
    let actualSize: Int64?
    let backingFile: String?
    let backingFormat: String?
    let encrypted: Bool?
    let dirty: Bool?
    let specific: Specific?

    struct Specific: Decodable {
        let data: Details?
    }

    struct Details: Decodable {
        let compat: String?
        let corrupt: Bool?
        let dataFile: String?

        enum CodingKeys: String, CodingKey {
            case compat, corrupt
            case dataFile = "data-file"
        }
    }

    enum CodingKeys: String, CodingKey {
        case format, encrypted
        case virtualSize = "virtual-size"
        case actualSize = "actual-size"
        case backingFile = "backing-filename"
        case backingFormat = "backing-filename-format"
        case dirty = "dirty-flag"
        case specific = "format-specific"
    }
}

extension QemuImg.Info {
    fileprivate init(_ json: InfoJSON) {
        self.init(
            format: json.format, virtualSizeBytes: json.virtualSize, actualSizeBytes: json.actualSize,
            backingFile: json.backingFile, backingFormat: json.backingFormat,
            dataFile: json.specific?.data?.dataFile, isEncrypted: json.encrypted ?? false,
            isDirty: json.dirty ?? false, isCorrupt: json.specific?.data?.corrupt ?? false,
            compat: json.specific?.data?.compat)
    }
}
