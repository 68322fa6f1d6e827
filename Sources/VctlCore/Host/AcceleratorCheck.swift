// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// What new VMs run on; found out once, since a broken KVM takes seconds to show itself.
actor AcceleratorCheck {
    /// Whether libvirt's driver runs guests by QEMU at all.
    nonisolated let isQemu: Bool
    private let check: KVMCheck
    private var task: Task<KVMCheck.Verdict, Never>?

    /// - Parameter uri: libvirt's; its test driver runs nothing.
    init(uri: String, check: KVMCheck = KVMCheck()) {
        isQemu = !uri.hasPrefix("test")
        self.check = check
    }

    /// What was found at first.
    func result() async -> Host.AcceleratorInfo {
        guard isQemu else { return .init(kind: .tcg, reason: "libvirt's test driver runs no guests") }
        let check = check
        let first = task ?? Task { await check.verdict() }
        task = first
        switch await first.value {
        case .usable: return .init(kind: .kvm)
        case .unusable(let reason): return .init(kind: .tcg, reason: "\(reason)")
        }
    }

    /// Finds out again. A KVM that was mended meanwhile is used from now on; one that worked is not given up
    /// for one failure, which a busy host could cause.
    func again() async -> KVMCheck.Verdict {
        let verdict = await check.verdict()
        if verdict == .usable { task = Task { .usable } }
        return verdict
    }
}
