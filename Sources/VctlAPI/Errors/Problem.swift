// SPDX-License-Identifier: Apache-2.0

/// An error as the API shows it: `application/problem+json` (RFC 9457).
public struct Problem: Error, Codable, Hashable, Sendable {
    /// A URI for the kind of error: `urn:vctl:error:` and the code.
    public var type: String
    /// The code in words; the same for every occurrence.
    public var title: String
    /// The HTTP status.
    public var status: Int
    /// What happened, in one or two sentences.
    public var detail: String
    /// The stable, dotted code.
    public var code: String
    /// The next command to run, or what to change.
    public var hint: String?
    /// The operation that failed, or that holds what was asked for.
    public var operation: ObjectID?
    /// Every wrong field of a request.
    public var errors: [FieldProblem]?
    /// What libvirt said, where it was libvirt that refused.
    public var libvirt: LibvirtDetail?

    /// A problem of the given code.
    public init(
        _ code: ErrorCode, _ detail: String, hint: String? = nil, operation: ObjectID? = nil,
        errors: [FieldProblem]? = nil, libvirt: LibvirtDetail? = nil
    ) {
        self.type = "urn:vctl:error:\(code.rawValue)"
        self.title = code.rawValue.split(separator: ".").joined(separator: " ")
        self.status = code.status
        self.detail = detail
        self.code = code.rawValue
        self.hint = hint
        self.operation = operation
        self.errors = errors
        self.libvirt = libvirt
    }

    /// The code as a value; `nil` where a newer daemon sent one that this program does not know.
    public var errorCode: ErrorCode? { ErrorCode(rawValue: code) }

    /// The exit code of a command that ends with this error.
    public var exitCode: Int32 { errorCode?.exitCode ?? ExitCode.forStatus(status).rawValue }
}

/// One wrong field of a request.
public struct FieldProblem: Codable, Hashable, Sendable {
    /// The path of the field: `disks[1].sizeBytes`.
    public var field: String
    /// What is wrong with it, and what would be right.
    public var problem: String

    /// A problem of the field at `field`.
    public init(_ field: String, _ problem: String) {
        self.field = field
        self.problem = problem
    }
}

/// What libvirt said of an error (virterror.h).
public struct LibvirtDetail: Codable, Hashable, Sendable {
    /// `virErrorNumber`.
    public var code: Int
    /// `virErrorDomain`.
    public var domain: Int
    /// libvirt's own words.
    public var message: String

    /// An error of libvirt.
    public init(code: Int, domain: Int, message: String) {
        self.code = code
        self.domain = domain
        self.message = message
    }
}
