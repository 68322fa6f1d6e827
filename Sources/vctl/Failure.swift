// SPDX-License-Identifier: Apache-2.0
import Glibc
import VctlAPI
import VctlClient

/// An error as it is shown: one line of what happened, one of what to do.
struct Failure: Error, Hashable {
    var message: String
    var code: String
    var hint: String?
    var exit: ExitCode

    /// A wrong use of the command line.
    static func usage(_ message: String, hint: String? = nil) -> Failure {
        Failure(message: message, code: "usage.invalid", hint: hint, exit: .usage)
    }

    /// The lines for stderr.
    var lines: [String] {
        // A tool's words may have line ends; an error is one line.
        let words = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        let line = "error: \(shown(shortened(words), limit: 2000)) (\(shown(code)))"
        return [line] + (hint.map { ["hint: \(shown($0, limit: 500))"] } ?? [])
    }
}

/// Ends the program with a code; whatever there was to say has been said.
struct Ended: Error {
    let exit: ExitCode
}

/// Ends the program with the status of a command in a guest.
struct GuestEnded: Error {
    let status: Int32
}

/// A value may be ten kilobytes long; the reason behind it must still be seen.
func shortened(_ text: String) -> String {
    guard text.unicodeScalars.count > 600 else { return text }
    return "\(text.prefix(250))…\(text.suffix(250))"
}

extension Failure {
    /// Any error that a command can throw.
    init(_ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let problem as Problem: self.init(problem)
        case let error as ClientError:
            self.init(message: error.description, code: error.code, hint: error.hint, exit: error.exitCode)
        case let error as InvalidValue: self = .usage(error.description)
        case let error as FileError: self.init(error)
        default: self.init(message: String(describing: error), code: "client.failed", exit: .failed)
        }
    }

    private init(_ problem: Problem) {
        let fields = (problem.errors ?? []).filter { !problem.detail.contains($0.field) }
        let more = fields.count > 3 ? "; and \(fields.count - 3) more" : ""
        let list = fields.prefix(3).map { "\($0.field): \($0.problem)" }.joined(separator: "; ") + more
        message = list.isEmpty ? problem.detail : "\(problem.detail): \(list)"
        code = problem.code
        hint = problem.hint
        exit = ExitCode(rawValue: problem.exitCode) ?? .failed
    }

    private init(_ error: FileError) {
        exit = .usage
        code = "file.unreadable"
        switch error {
        case .unreadable(let path, let number):
            message = "cannot read \(shown(path, limit: 200)): \(String(cString: strerror(number)))"
        case .notRegular(let path): message = "\(shown(path, limit: 200)) is no regular file"
        case .empty(let path): message = "\(shown(path, limit: 200)) is empty"
        case .tooLarge(let path, let limit):
            message = "\(shown(path, limit: 200)) is larger than \(ByteCount.human(Int64(limit)))"
        case .changed(let path):
            message = "\(shown(path, limit: 200)) changed while it was being sent; the upload is given up"
            code = "file.changed"
            hint = "import it again once nothing writes to it"
            exit = .failed
        }
    }

    /// An operation that did not succeed.
    init(_ operation: Operation, about name: String) {
        let id = operation.id.rawValue
        exit = .failed
        switch operation.status {
        case .stuck:
            message =
                "\(name): undoing \(operation.kind) failed\(operation.error.map { ": \($0.detail)" } ?? "")"
            code = "operation.stuck"
            hint = "vctl operation retry \(id), or give up its claims: vctl operation abandon \(id)"
        case .cancelled:
            message = "\(name): \(operation.kind) was cancelled"
            code = ErrorCode.operationCancelled.rawValue
        default:
            let problem = operation.error.map { Failure($0) }
            message = problem?.message ?? "\(name): \(operation.kind) failed"
            code = problem?.code ?? "operation.failed"
            hint = problem?.hint ?? "vctl operation show \(id)"
        }
    }
}
