// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// Fetches the content of an image by `curl`, and goes on where it was after a lost connection or a dead
/// daemon.
struct ImageDownload: Sendable {
    let id: ObjectID
    let state: StateDirectory
    let limits: ImageLimits

    private var path: String { state.incoming(id) }
    /// The header fields of the response that the content began with: they tell whether a later one is of the
    /// same.
    private var headers: String { path + ".headers" }
    /// Those of a response that goes on with it.
    private var laterHeaders: String { path + ".headers-later" }

    /// The size of the content, which is there already.
    func size() throws -> Int64 {
        guard let stamp = FileStamp(path: path) else {
            throw Problem(.imageChanged, "the received content is gone", hint: "send it again")
        }
        return stamp.size
    }

    /// Removes everything that a download or an upload leaves outside the image's own place.
    func remove() throws {
        for file in [path, headers, laterHeaders, state.imageURL(id)] { try DurableFile.remove(file) }
    }

    /// Downloads until everything is there.
    /// - Parameter checked: a checksum will be compared, so that a part without an entity tag may be gone on
    ///   from.
    /// - Returns: the size in bytes.
    /// - Throws: ``Problem`` `image.download`, `storage.full`, `request.tooLarge`.
    func run(checked: Bool, progress: @Sendable @escaping (Operation.Progress) -> Void) async throws -> Int64
    {
        try await ImageTools.endEarlier(path)
        var fruitless = 0
        while true {
            let part = resumable(checked: checked)
            if let part, part.size == part.head.size { return part.size }
            let before = part?.size ?? 0
            let answer = try await attempt(part, progress)
            if answer.isSuccess { return try size() }
            try checkFatal(answer)
            let gained = (FileStamp(path: path)?.size ?? 0) > before && answer.mayResume
            fruitless = gained ? 0 : fruitless + 1
            guard fruitless < limits.attempts else { throw failure(answer) }
            try await Task.sleep(for: .seconds(limits.pauseSeconds * Double(1 << min(fruitless, 6))))
        }
    }

    /// What is there of the content, if another response can go on with it. Anything else is thrown away.
    private func resumable(checked: Bool) -> (size: Int64, head: ResponseHead)? {
        if let stamp = FileStamp(path: path), stamp.size > 0, let head = ResponseHead(file: headers),
            head.validator != nil || checked, head.status == 200,
            // Left by a daemon that died before it looked.
            ResponseHead(file: laterHeaders)?.isOfSameContent(as: head) ?? true
        {
            return (stamp.size, head)
        }
        for file in [path, headers, laterHeaders] { try? DurableFile.remove(file) }
        return nil
    }

    private func attempt(
        _ part: (size: Int64, head: ResponseHead)?,
        _ progress: @Sendable @escaping (Operation.Progress) -> Void
    ) async throws -> CurlAnswer {
        let arguments = self.arguments(part)
        var answer = try await watched(part?.head.size, progress) {
            try await ImageTools.curl(arguments, to: path)
        }
        answer.code = ResponseHead(file: part == nil ? headers : laterHeaders)?.status ?? 0
        guard let part else { return answer }
        defer { try? DurableFile.remove(laterHeaders) }
        // A server that sends another file now, with or without being asked to look: begin again.
        if let later = ResponseHead(file: laterHeaders),
            later.status == 200 || !later.continues(part.head, at: part.size)
        {
            try DurableFile.remove(path)
            return answer.restarted
        }
        return answer
    }

    private func arguments(_ part: (size: Int64, head: ResponseHead)?) -> [String] {
        var arguments = [
            // First, so that no .curlrc is read.
            "--disable", "--silent", "--show-error", "--globoff", "--fail", "--location", "--max-redirs",
            "10",
            "--proto", "=http,https", "--proto-redir", "=http,https",
            "--connect-timeout", "\(limits.connectSeconds)",
            "--speed-time", "\(limits.silentSeconds)", "--speed-limit", "1",
            "--max-filesize", "\(limits.contentBytes)", "--output", path, "--dump-header",
            part == nil ? headers : laterHeaders,
        ]
        if let part {
            arguments += ["--continue-at", "\(part.size)"]
            if let validator = part.head.validator { arguments += ["--header", "If-Range: \(validator)"] }
        }
        return arguments + ["--config", state.imageURL(id)]
    }

    /// Runs `body`, and tells how long the file is while it does; ends it when the file gets too long.
    private func watched(
        _ known: Int64?, _ progress: @Sendable @escaping (Operation.Progress) -> Void,
        _ body: @Sendable @escaping () async throws -> CurlAnswer
    ) async throws -> CurlAnswer {
        try await withThrowingTaskGroup(of: CurlAnswer?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                while true {
                    try await Task.sleep(for: .milliseconds(250))
                    try report(known, progress)
                }
            }
            defer { group.cancelAll() }
            let answer = try await group.next() ?? nil
            try report(known, progress)
            guard let answer else { throw CancellationError() }
            return answer
        }
    }

    private func report(_ known: Int64?, _ progress: (Operation.Progress) -> Void) throws {
        let done = FileStamp(path: path)?.size ?? 0
        guard done <= limits.contentBytes else { throw tooLarge }
        let total = known ?? ResponseHead(file: headers)?.size
        progress(Operation.Progress(phase: "downloading", done: done, total: total))
    }

    private var tooLarge: Problem {
        Problem(.requestTooLarge, "the content is larger than \(ByteCount.human(limits.contentBytes))")
    }

    /// - Throws: what no further attempt can change.
    private func checkFatal(_ answer: CurlAnswer) throws {
        if answer.exceedsLimit { throw tooLarge }
        if answer.couldNotWrite, StorageSpace.isFull(at: state.path + "/incoming") {
            throw FreeSpace.full(path, "no room for the rest of the content")
        }
        if !answer.isTransient { throw failure(answer) }
    }

    private func failure(_ answer: CurlAnswer) -> Problem {
        let said =
            answer.code >= 400 ? "the server answered \(answer.code)" : shown(answer.message, limit: 300)
        return Problem(
            .imageDownload, "the download failed: \(said)",
            hint: "check the URL from the host: curl --head --location URL")
    }
}

/// How a run of curl ended: by its documented exit status, never by its words.
struct CurlAnswer: Sendable {
    var status: Int32
    /// The last HTTP status, 0 without one.
    var code = 0
    var message: String
    /// Another file came, and the part from before was thrown away.
    private(set) var isRestart = false

    init(status: Int32, message: String = "") {
        self.status = status
        self.message = message.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    var isSuccess: Bool { status == 0 && !isRestart }
    var couldNotWrite: Bool { status == 23 }
    var exceedsLimit: Bool { status == 63 }
    /// 33: the server does not send parts, or sent the whole of something else.
    var mayResume: Bool { status != 33 && !isRestart }

    var restarted: CurlAnswer {
        var copy = self
        copy.isRestart = true
        return copy
    }

    /// Whether the same request may go well a little later: no connection, a lost or silent one, a busy
    /// server.
    var isTransient: Bool {
        if isRestart || [5, 6, 7, 16, 18, 28, 33, 35, 52, 55, 56, 92, 95, 96].contains(status) {
            return true
        }
        return status == 22 && (code >= 500 || code == 408 || code == 416 || code == 425 || code == 429)
    }
}
