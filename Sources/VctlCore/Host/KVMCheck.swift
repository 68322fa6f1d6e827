// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Whether KVM really runs a guest here. Its device can be there and still be of no use: in a container
/// without the right, or under a hypervisor that emulates it badly, where every guest hangs. So a tiny guest
/// is run.
struct KVMCheck: Sendable {
    /// What was found.
    enum Verdict: Hashable, Sendable {
        case usable
        case unusable(Reason)

        /// The reason, where it is unusable.
        var reason: Reason? {
            if case .unusable(let reason) = self { reason } else { nil }
        }
    }

    /// Why it cannot be used; in words the end of the sentence "KVM cannot be used: …".
    enum Reason: Hashable, Sendable, CustomStringConvertible {
        case missing(device: String)
        /// It is there, but opening it fails with this `errno`.
        case closed(device: String, errno: Int32)
        /// The guest does nothing at all.
        case hanging
        /// The guest ended as it should not; with QEMU's last words, if it said any.
        case failing(String)
        case noEmulator(String)
        /// There was not even a guest: with what prevented it.
        case untried(String)

        var description: String {
            switch self {
            case .missing(let device): "\(device) does not exist"
            case .closed(let device, EACCES), .closed(let device, EPERM): "\(device) may not be opened"
            case .closed(let device, let errno):
                "\(device) cannot be opened (\(String(cString: strerror(errno))))"
            case .hanging: "a test guest hangs under it"
            case .failing(""): "a test guest fails under it"
            case .failing(let words): "a test guest fails under it (\(words))"
            case .noEmulator(let name): "\(name) is not installed"
            case .untried(let why): "it could not be tried out (\(why))"
            }
        }
    }

    var device = "/dev/kvm"
    var emulator = "qemu-system-x86_64"
    /// Where the boot sector is put for the moment of the check.
    var folder = "/tmp"
    /// A working KVM needs 0.2 s for it, and 5 s on a busy host that is itself emulated.
    var deadline: Duration = .seconds(20)

    init() {}

    /// Finds out; takes at most a little more than ``deadline``. The caller keeps the answer.
    func verdict() async -> Verdict {
        if let reason = deviceProblem { return .unusable(reason) }
        do {
            return try await boot(accelerator: "kvm") ? .usable : .unusable(.failing(""))
        } catch let error as ToolError {
            return .unusable(reason(error))
        } catch {
            return .unusable(.untried("\(error)"))
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

    private var deviceProblem: Reason? {
        let descriptor = open(device, O_RDWR | O_CLOEXEC)
        guard descriptor < 0 else {
            close(descriptor)
            return nil
        }
        return errno == ENOENT ? .missing(device: device) : .closed(device: device, errno: errno)
    }

    private func reason(_ error: ToolError) -> Reason {
        switch error.reason {
        case .timedOut: .hanging
        case .missing: .noEmulator(error.tool)
        default: .failing(error.stderr.split(separator: "\n").last.map(String.init) ?? "")
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
