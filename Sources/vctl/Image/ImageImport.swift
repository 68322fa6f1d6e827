// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl image import`.
struct ImageImport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make an image from a file here, or from a URL.",
        discussion: "A URL is downloaded by the daemon; a file is read here and sent.")

    @Argument(help: .init("Its name.", valueName: "name"), transform: Parse.name) var name: Name
    @Argument(help: .init("A file, or an http(s) URL.", valueName: "file|url"), completion: .file())
    var source: String

    @Option(
        name: .customLong("checksum"), help: .init("What the content must have.", valueName: "sha256:…"),
        transform: Parse.checksum)
    var checksum: Checksum?

    @Option(
        name: [.customLong("format"), .customShort("f")],
        help: "The format to store (qcow2, raw), or how to print (table, json, yaml, csv, name).",
        completion: .list(FormatChoice.known), transform: FormatChoice.init)
    var formats: [FormatChoice] = []

    @Option(
        name: .customLong("source-format"), help: "What the content is; probed without it.",
        completion: Parse.choices(DiskFormat.self), transform: Parse.choice)
    var sourceFormat: DiskFormat?

    @Option(name: .customLong("description"), help: "What this image is.") var description: String?
    @Flag(name: .customLong("protect"), help: "Let delete refuse it.") var protect = false
    @Flag(name: .customLong("if-not-exists"), help: "An image of this name is no error, and stays as it is.")
    var ifNotExists = false
    @Option(
        name: .customLong("columns"), help: .init("The columns of table and csv.", valueName: "a,b"),
        completion: Live.columns)
    var columns: String?

    @OptionGroup var labels: LabelOptions
    @OptionGroup var key: KeyOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var connect: ConnectOptions

    /// `--format` has two meanings here, and their words are different.
    enum FormatChoice: Hashable {
        case stored(DiskFormat)
        case printed(Format)

        static let known = DiskFormat.allCases.map(\.rawValue) + Format.allCases.map(\.rawValue)

        init(_ text: String) throws {
            if let format = DiskFormat(rawValue: text) {
                self = .stored(format)
            } else if let format = Format(rawValue: text) {
                self = .printed(format)
            } else {
                throw Parse.Refused(description: "known are \(Self.known.joined(separator: ", "))")
            }
        }
    }

    var output: OutputOptions {
        get throws {
            var output = try OutputOptions.parse([])
            output.columns = columns
            for case .printed(let format) in formats { output.format = format }
            return output
        }
    }

    func run() throws {
        let run = ImageImporting(command: self, client: connect.client(), output: try output)
        _ = try Printer(.image, run.output)
        if isURL { try run.download(body()) } else { try run.upload(body()) }
    }

    /// The request's body, without what only the file tells.
    func body() throws -> ImageCreate {
        guard source != "-" else {
            throw Failure.usage(
                "an image cannot be read from stdin: its size must be known", hint: "write it to a file first"
            )
        }
        if let scheme = foreignScheme {
            throw Failure.usage(
                "\(shown(scheme)):// is not supported", hint: "use http://, https://, or a file")
        }
        var body = ImageCreate(name: name)
        body.description = description
        body.url = isURL ? source : nil
        body.checksum = checksum
        body.sourceFormat = sourceFormat
        for case .stored(let format) in formats { body.format = format }
        body.labels = labels.labels
        if protect { body.protected = true }
        return body
    }

    private var scheme: String? {
        guard let range = source.firstRange(of: "://") else { return nil }
        let scheme = source[..<range.lowerBound]
        return !scheme.isEmpty && scheme.allSatisfy { $0.isASCII && $0.isLetter } ? scheme.lowercased() : nil
    }
    private var isURL: Bool { scheme == "http" || scheme == "https" }
    private var foreignScheme: String? { isURL ? nil : scheme }
}
