// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// The script under which a command runs in a guest. The agent alone hands out what a program printed only
/// after its end, and at most 16 MiB of it. So its output goes through two pumps, which write it into pieces
/// that are fetched while it runs, and which wait when nobody fetches them: a command can print for ever and
/// the guest keeps 4 MiB of it. What was short and quick is printed as the script's own output, and costs no
/// further question. Where there is no room for pieces, the agent keeps the output.
enum GuestShell {
    static let path = "/bin/sh"

    /// Starts a short script of ours, whose arguments are `$1` and so on.
    /// - Throws: ``Problem``.
    static func start(_ script: String, _ arguments: [String], _ agent: GuestAgent) async throws
        -> GuestProcess
    {
        try await GuestProcess(path, ["-c", script, "vctl"] + arguments, agent)
    }

    /// Removes files; those that are not there are no error.
    static let remove = #"rm -f -- "$@""#

    /// The arguments of the shell for a command whose pieces are files that begin with `prefix`.
    static func arguments(prefix: String, directory: String?, command: [String]) -> [String] {
        ["-c", script, "vctl", prefix, directory ?? ""] + command
    }

    /// A piece of the output: `o` is standard output, `e` standard error.
    static func piece(_ prefix: String, _ stream: Stream, _ number: Int) -> String {
        "\(prefix)\(stream.rawValue)\(number)"
    }

    /// What the script itself prints when the output has to be fetched.
    static func sign(_ prefix: String) -> [UInt8] { Array("\(prefix)\n".utf8) }

    /// What the script prints before that when the room for pieces has run out: some of the output is lost.
    static func loss(_ prefix: String) -> [UInt8] { Array("\(prefix)!\n".utf8) }

    /// Makes an empty file that only its owner may open; the agent lets everybody write what it makes.
    static let makePrivate = #"umask 077; : >"$1""#

    /// So many pieces wait to be fetched before a pump waits; it removes what lies further back.
    static let pieces = 4

    /// Its presence says that somebody fetches the pieces.
    static func reader(_ prefix: String) -> String { prefix + "l" }

    /// Its presence says that nobody will fetch them any more.
    static func abandonment(_ prefix: String) -> String { prefix + "x" }

    /// What the command reads, where that is too much for one request.
    static func input(_ prefix: String) -> String { prefix + "i" }

    enum Stream: String, Sendable, CaseIterable { case out = "o", err = "e" }

    /// Only what POSIX has. `dd` writes what it has read at once, and not, as others do, when it has enough.
    /// What the command makes has the modes of a login, whatever the agent was started with. Where there is
    /// no room for the first pages, the agent itself keeps the output; the status has its room before the
    /// command can fill the disk.
    private static let script = """
        p=$1; d=$2; shift 2; umask 077; exec 4>&1
        if [ -n "$d" ]; then cd "$d" || exit 125; fi
        if [ -e "${p}i" ]; then exec <"${p}i"; rm -f "${p}i"; fi
        if ! { printf %16384s "" >"${p}s" && echo 125 >"${p}s"; } 2>/dev/null; then
          rm -f "${p}s"; umask 022; exec "$@" 4>&-
        fi
        lose() {
          echo "$p!" >&4
          until [ -e "${p}x" ] || [ "$(dd bs=16384 count=1 2>/dev/null | wc -c)" -eq 0 ]; do :; done
          exit
        }
        pump() {
          n=0
          while :; do
            if { true >"$p$1$n"; } 2>/dev/null; then
              dd bs=16384 count=64 of="$p$1$n" 2>/dev/null || lose
            elif [ "$(dd bs=1 count=1 2>/dev/null | wc -c)" -gt 0 ]; then
              lose
            fi
            if ! [ -s "$p$1$n" ]; then break; fi
            n=$((n+1)); w=0
            while [ "$n" -ge \(pieces) ] && [ -s "$p$1$((n-\(pieces)))" ]; do
              w=$((w+1)); if [ "$w" -gt 6000 ] || [ -e "${p}x" ]; then exit; fi; sleep 0.1
            done
            if [ "$n" -ge \(pieces) ]; then rm -f "$p$1$((n-\(pieces)))"; fi
          done
        }
        run() { umask 022; (exec "$@" 3>&- 4>&-); echo "$?" 1<>"${p}s"; }
        { { run "$@" 2>&1 >&3 3>&- | pump e 3>&-; } 3>&1 | pump o; }
        read -r s <"${p}s" || s=125
        if [ -e "${p}x" ]; then
          rm -f "$p"*
        elif [ -e "${p}l" ] || [ -s "${p}o1" ] || [ -s "${p}e1" ]; then
          echo "$p"
        else
          if [ -s "${p}o0" ]; then cat "${p}o0"; fi
          if [ -s "${p}e0" ]; then cat "${p}e0" >&2; fi
          rm -f "${p}o0" "${p}e0" "${p}o1" "${p}e1" "${p}s" </dev/null >/dev/null 2>&1 4>&- &
        fi
        exit "$s"
        """
}
