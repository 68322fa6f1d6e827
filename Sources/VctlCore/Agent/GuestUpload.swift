// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// A file that is written into a guest: beside its place first, where only its owner can open it.
struct GuestUpload: Sendable {
    let agent: GuestAgent
    /// Where it shall be, absolute.
    let path: String

    /// Writes it.
    /// - Parameter mode: octal; without it that of the file which is there, or 0644.
    /// - Throws: ``Problem``; what `body` throws: what is at `path` is as before then.
    func run(_ body: some AsyncSequence<[UInt8], any Error> & Sendable, mode: String?) async throws {
        let suffix = ".vctl-\(ObjectID().short)"
        let target = try await prepare(suffix)
        let partial = target + suffix
        do {
            let file = try await GuestFile(partial, .write, agent)
            do { try await send(body, to: file) } catch {
                await file.giveUp()
                throw error
            }
            try await file.close()
            // Where there are attributes to copy, the guest may ask a directory of its network.
            try await sh(Self.place, [partial, target, mode ?? ""])
        } catch {
            await Task { [agent] in
                _ = try? await GuestShell.start(GuestShell.remove, [partial], agent)
            }.value
            throw error
        }
    }

    /// - Returns: the place itself, where `path` is a symbolic link.
    private func prepare(_ suffix: String) async throws -> String {
        let place = try await sh(Self.begin, [path, suffix])
        guard let text = String(validating: place, as: UTF8.self) else {
            throw Problem(
                .agentFailed, "\(shown(path)) in the guest leads to a name that is no UTF-8",
                hint: "name another file")
        }
        return text
    }

    /// Each command of the agent costs a round trip: what comes in small pieces goes on in large ones.
    private func send(_ body: some AsyncSequence<[UInt8], any Error>, to file: GuestFile) async throws {
        var waiting: [UInt8] = []
        for try await bytes in body {
            waiting += bytes
            let whole = waiting.count - waiting.count % GuestFile.pieceBytes
            try await file.write(Array(waiting.prefix(whole)))
            waiting.removeFirst(whole)
        }
        try await file.write(waiting)
    }

    @discardableResult
    private func sh(_ script: String, _ arguments: [String]) async throws -> [UInt8] {
        try await GuestShell.start(script, arguments, agent)
            .mustSucceed("the guest cannot write \(shown(path))")
    }

    private static let begin = """
        t=$1
        if [ -L "$t" ]; then t=$(readlink -f -- "$t") || exit 1; fi
        if [ -d "$t" ]; then echo "it is a directory" >&2; exit 1; fi
        if [ -e "$t" ] && ! [ -f "$t" ]; then echo "it is no regular file" >&2; exit 1; fi
        umask 077
        : >"$t$2" || exit 1
        printf %s "$t"
        """

    /// GNU's cp knows of more attributes than those that every system has; BSDs have another stat.
    private static let place = """
        p=$1; t=$2; m=$3
        if [ -e "$t" ]; then
          cp --attributes-only --preserve=all -- "$t" "$p" 2>/dev/null ||
            { chown "$(stat -c %u:%g "$t")" "$p" && chmod "$(stat -c %a "$t")" "$p"; } 2>/dev/null ||
            { chown "$(stat -f %u:%g "$t")" "$p" && chmod "$(stat -f %Mp%Lp "$t")" "$p"; } || exit 1
          touch -- "$p"
        fi
        if [ -n "$m" ] || ! [ -e "$t" ]; then chmod -- "${m:-644}" "$p" || exit 1; fi
        mv -f -- "$p" "$t"
        """
}
