// SPDX-License-Identifier: Apache-2.0
import CHost
import Glibc

/// Keeps all programs from opening a file for writing; who tries waits until it ends. There is none while one
/// of them has the file open already, whatever it uses it for.
struct FileLease: ~Copyable {
    private let descriptor: Int32

    /// - Parameters:
    ///   - descriptor: open for reading alone, and longer than the lease.
    ///   - path: of the file, for the error.
    /// - Throws: ``FileFailure``: `EAGAIN` where a program has the file open for writing, this one included;
    ///   all else says that its file system has no leases, or none for us.
    init(_ descriptor: Int32, _ path: String) throws(FileFailure) {
        guard chost_take_lease(descriptor) == 0 else { throw FileFailure(path: path) }
        self.descriptor = descriptor
    }

    deinit { _ = chost_return_lease(descriptor) }

    /// Whether a program is known to have a file open for writing.
    static func isOpenForWriting(_ descriptor: Int32, _ path: String) -> Bool {
        do throws(FileFailure) {
            _ = try FileLease(descriptor, path)
            return false
        } catch { return error.errno == EAGAIN }
    }
}
