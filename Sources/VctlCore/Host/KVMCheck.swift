// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Whether KVM really runs a guest here. Its device can be there and still be of no use: in a container
/// without the right, or under a hypervisor that emulates it badly, where every guest hangs. So a tiny guest
/// is run.
struct KVMCheck: Sendable {
    /// What was found.
    enum Verdict: Hashable, Sendable {
        case usable
        /// With the reason, as the end of the sentence "KVM cannot be used: …".
        case unusable(String)

        /// The reason, where it is unusable.
        var reason: String? {
            if case .unusable(let reason) = self { reason } else { nil }
        }
    }

    var device = "/dev/kvm"
    var emulator = "qemu-system-x86_64"
    /// Where the boot sector is put for the moment of the check.
    var folder = "/tmp"
    /// A working KVM needs 0.2 s for it, and 5 s on a busy host that is itself emulated.
    var deadline: Duration = .seconds(20)

    init() {}

    /// Finds out about this host's `/dev/kvm`.
    static func run() async -> Verdict { await KVMCheck().verdict() }

    /// Finds out; takes at most a little more than ``deadline``. The caller keeps the answer.
    func verdict() async -> Verdict {
        if let reason = deviceProblem { return .unusable(reason) }
        do {
            return try await boot(accelerator: "kvm") ? .usable : .unusable("a test guest fails under it")
        } catch let error as ToolError {
            return .unusable(reason(error))
        } catch {
            return .unusable("it could not be tried out")
        }
    }

    /// Runs the boot sector once.
    /// - Returns: whether it came through; `false` if QEMU ended in another way.
    /// - Throws: ``ToolError`` where QEMU is missing, fails or hangs.
    func boot(accelerator: String) async throws -> Bool {
        let path = try writeSector()
        defer { unlink(path) }
        let arguments = BootProof.arguments(accelerator: accelerator, sector: path)
        do {
            try await Tool(emulator, arguments, deadline: deadline).run()
            // Without -no-reboot's help a guest that crashed would start over; with it QEMU ends with 0.
            return false
        } catch let error as ToolError where error.status == BootProof.success {
            return true
        }
    }

    private var deviceProblem: String? {
        let descriptor = open(device, O_RDWR | O_CLOEXEC)
        guard descriptor < 0 else {
            close(descriptor)
            return nil
        }
        switch errno {
        case ENOENT: return "\(device) does not exist"
        case EACCES, EPERM: return "\(device) may not be opened"
        default: return "\(device) cannot be opened (errno \(errno))"
        }
    }

    private func reason(_ error: ToolError) -> String {
        switch error.reason {
        case .timedOut: "a test guest hangs under it"
        case .missing: "\(emulator) is not installed"
        default: "a test guest fails under it"
        }
    }

    private func writeSector() throws -> String {
        var template = Array("\(folder)/vctl-boot-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard descriptor >= 0 else { throw FileFailure(path: path) }
        defer { close(descriptor) }
        let sector = BootProof.sector
        guard write(descriptor, sector, sector.count) == sector.count else {
            let failure = errno
            unlink(path)
            throw FileFailure(path: path, errno: failure)
        }
        return path
    }
}
