// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// What new VMs run on; found out once, since a broken KVM takes seconds to show itself.
actor AcceleratorCheck {
    private let isQemu: Bool
    private var task: Task<Host.AcceleratorInfo, Never>?

    /// - Parameter uri: libvirt's; its test driver runs nothing.
    init(uri: String) {
        isQemu = !uri.hasPrefix("test")
    }

    func result() async -> Host.AcceleratorInfo {
        if let task { return await task.value }
        let isQemu = isQemu
        let fresh = Task { () -> Host.AcceleratorInfo in
            guard isQemu else { return .init(kind: .tcg, reason: "libvirt's test driver runs no guests") }
            switch await KVMCheck().verdict() {
            case .usable: return .init(kind: .kvm)
            case .unusable(let reason): return .init(kind: .tcg, reason: reason)
            }
        }
        task = fresh
        return await fresh.value
    }
}
