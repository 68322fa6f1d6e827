// SPDX-License-Identifier: Apache-2.0
import Glibc

/// How many instances of inotify Linux lets a user have. Every dnsmasq takes one, and libvirt starts one for
/// each network in which the host has an address.
struct InotifyLimit: Sendable {
    static let key = "fs.inotify.max_user_instances"

    var files = HostFiles()
    /// Whether none is left to the user that vctld runs as. As root, that is the one as which dnsmasq begins.
    var isReached: @Sendable () -> Bool = { Self.noneIsLeft }

    /// `nil`: this kernel has no such limit.
    var most: Int? {
        files.text("/proc/sys/\(Self.key.replacing(".", with: "/"))").flatMap { Int($0) }
    }

    /// The command that raises it.
    var remedy: String { "sysctl -w \(Self.key)=\(max(1024, (most ?? 0) * 2))" }

    private static var noneIsLeft: Bool {
        let watch = inotify_init1(Int32(IN_CLOEXEC))
        guard watch < 0 else {
            close(watch)
            return false
        }
        guard errno == EMFILE else { return false }
        // The same number tells that this process itself has too many files open.
        let file = open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        close(file)
        return true
    }
}
