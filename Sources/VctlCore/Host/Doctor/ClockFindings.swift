// SPDX-License-Identifier: Apache-2.0
import CHost
import Glibc

/// Whether the clock is kept right: guests take theirs from it, and so do logs, schedules and certificates.
struct ClockFindings: HostCheck {
    let name = "clock"
    /// 1, 0, or -1 with `errno`.
    var kernel: @Sendable () -> Int32 = { chost_clock_is_kept() }

    func notes() -> [Note] {
        switch kernel() {
        case 1: [.ok("the clock is synchronised")]
        case 0: [.warning("nothing synchronises the clock, and guests take theirs from it", hint)]
        default: [.unknown("the kernel does not say (\(String(cString: strerror(errno))))", "timedatectl")]
        }
    }

    private var hint: String {
        Tool.locate("chronyd") != nil || Tool.locate("/lib/systemd/systemd-timesyncd") != nil
            ? "timedatectl set-ntp true; then: timedatectl timesync-status or chronyc tracking"
            : "apt-get install chrony"
    }
}
