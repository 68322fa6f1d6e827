// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// What must hold for a request by itself: all problems at once.
enum ImageRules {
    static func problems(_ request: ImageCreate, _ limits: ImageLimits) -> [FieldProblem] {
        var problems = LabelRules.problems(request.labels ?? [:])
        problems += TextRules.problems("description", request.description, Limits.description)
        if let format = request.format, format != .qcow2, format != .raw {
            problems.append(FieldProblem("format", "an image is stored as qcow2 or raw"))
        }
        if let size = request.sizeBytes?.bytes, size > limits.contentBytes {
            problems.append(FieldProblem("sizeBytes", "at most \(ByteCount.human(limits.contentBytes))"))
        }
        if let url = request.url {
            do {
                _ = try ImageURL(url)
            } catch {
                problems.append(FieldProblem("url", error.problem))
            }
            if request.sizeBytes != nil {
                problems.append(
                    FieldProblem("sizeBytes", "this announces an upload; with url the server says it"))
            }
        }
        return problems
    }

    static func problems(_ patch: ImagePatch) -> [FieldProblem] {
        LabelRules.problems(patch: patch.labels ?? [:])
            + TextRules.problems("description", patch.description?.text, Limits.description)
    }

    /// - Throws: ``Problem`` `request.invalid` with all of them, when there are any.
    static func refuse(_ problems: [FieldProblem]) throws {
        guard let first = problems.first else { return }
        let more = problems.count > 1 ? " (and \(problems.count - 1) more)" : ""
        throw Problem(.requestInvalid, "\(first.field): \(first.problem)\(more)", errors: problems)
    }

    /// - Throws: ``Problem`` `revision.stale` when the image is no longer the one that the caller saw.
    static func check(_ ifMatch: String?, _ row: ImageRow) throws {
        try Revision.check(ifMatch, row.etag, "image \(row.name)")
    }

    /// - Throws: ``Problem`` `image.busy` with the operation that holds it.
    static func checkIdle(_ row: ImageRow) throws {
        guard let holder = row.operation else { return }
        throw busy(row.name, holder)
    }

    static func busy(_ name: Name, _ holder: ObjectID) -> Problem {
        Problem(
            .imageBusy, "operation \(holder) is working on image \(name)",
            hint: "vctl operation wait \(holder)",
            operation: holder)
    }
}

/// An address that an image can be downloaded from.
struct ImageURL: Sendable {
    /// As it was given. Only curl sees it.
    let full: Secret
    /// Without what may be a secret: user, password, query and fragment.
    let shown: String

    init(_ text: String) throws(InvalidValue) {
        // The text itself is kept out of the error: it may hold a password.
        func refuse(_ problem: String) -> InvalidValue { InvalidValue(value: "", problem: problem) }
        guard text.utf8.count <= 8192 else { throw refuse("a URL has at most 8192 bytes") }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw refuse(
                "a URL has no spaces, control characters or characters outside ASCII; percent-encode them")
        }
        guard var parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            ["http", "https"].contains(scheme)
        else { throw refuse("only http:// and https:// URLs are downloaded") }
        guard let host = parts.host, !host.isEmpty else { throw refuse("the URL names no host") }
        parts.user = nil
        parts.password = nil
        parts.query = nil
        parts.fragment = nil
        guard let shown = parts.string else { throw refuse("this is no URL") }
        full = Secret(text)
        self.shown = shown
    }

    /// A line of curl's configuration.
    var configuration: String {
        let quoted = full.reveal().replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "url = \"\(quoted)\"\n"
    }
}
