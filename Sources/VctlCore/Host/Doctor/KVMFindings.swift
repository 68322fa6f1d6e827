// SPDX-License-Identifier: Apache-2.0

/// Whether guests really run under KVM; and where not, what of the host is to blame.
struct KVMFindings: HostCheck {
    let name = "kvm"
    /// ``KVMCheck/deadline``, and the time to end what hangs.
    let deadline = Duration.seconds(40)
    let files: HostFiles
    /// Whether libvirt's driver runs guests at all.
    let isQemu: Bool
    let verdict: @Sendable () async -> KVMCheck.Verdict

    func notes() async -> [Note] {
        guard isQemu else { return [.ok("libvirt's test driver runs no guests, and needs no KVM")] }
        switch await verdict() {
        case .usable: return [.ok("a test guest has run under KVM")]
        case .unusable(let reason): return [note(reason)]
        }
    }

    private func note(_ reason: KVMCheck.Reason) -> Note {
        let cause = cause(of: reason)
        let because = cause.words.map { ": \($0)" } ?? ""
        return .warning(
            "KVM cannot be used: \(reason)\(because); new VMs run under emulation, ten times slower and more",
            cause.hint)
    }

    private func cause(of reason: KVMCheck.Reason) -> (words: String?, hint: String) {
        switch reason {
        case .missing: virtualization
        case .closed: ("the daemon lacks the right or the driver", "ls -l /dev/kvm; lsmod | grep kvm")
        // libvirt tries it out, too, and waits up to a minute for it at every start and definition of a VM.
        case .hanging, .failing:
            (
                isGuest ? "this machine is a guest, and its host emulates it badly" : nil,
                "\(isGuest ? nested : "dmesg | grep -i kvm"); where it cannot be mended, hide it from"
                    + " libvirt: mv /dev/kvm /dev/kvm.off && systemctl restart libvirtd"
            )
        case .noEmulator: (nil, "apt-get install qemu-system-x86")
        case .untried: (nil, "journalctl -u vctld")
        }
    }

    /// Why there is no device.
    private var virtualization: (words: String?, hint: String) {
        if flags.contains("vmx") { return ("its module is not loaded", "modprobe kvm_intel") }
        if flags.contains("svm") { return ("its module is not loaded", "modprobe kvm_amd") }
        guard !isGuest else {
            return ("this machine is a guest, and its host passes no virtualization on", nested)
        }
        return (
            "the CPU shows neither VT-x nor AMD-V",
            "switch on VT-x (AMD: SVM) in the setup of the machine's firmware"
        )
    }

    private let nested =
        "on the host of this machine: modprobe kvm_intel nested=1 (AMD: kvm_amd), and give this one the CPU"
        + " model host-passthrough"

    private var isGuest: Bool { flags.contains("hypervisor") }

    private var flags: Set<Substring> {
        let line = files.lines("/proc/cpuinfo").first { $0.hasPrefix("flags") }
        return Set(line?.split(separator: " ") ?? [])
    }

    init(
        files: HostFiles, isQemu: Bool, verdict: @Sendable @escaping () async -> KVMCheck.Verdict
    ) {
        self.files = files
        self.isQemu = isQemu
        self.verdict = verdict
    }
}
