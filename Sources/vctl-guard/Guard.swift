// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostNet

/// `vctl-guard FILE`: undoes a change of the host's links at its deadline, unless it was confirmed, whatever
/// becomes of the daemon that began it.
@main
enum Guard {
    static func main() {
        guard CommandLine.arguments.count == 2 else {
            say("usage: vctl-guard FILE")
            exit(64)
        }
        // Whoever loses the connection that a change cuts must not take the guard along.
        for number in [SIGHUP, SIGINT, SIGPIPE] { signal(number, SIG_IGN) }
        do {
            try WayBack(path: CommandLine.arguments[1]).keepWatch()
        } catch {
            say("vctl-guard: \(error)")
            exit(1)
        }
    }

    private static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
