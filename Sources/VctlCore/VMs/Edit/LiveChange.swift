// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI
import VirtXML

/// Something of a new definition that a running guest can have at once.
enum LiveChange: Hashable, Sendable {
    case addCPUs(to: Int)
    /// By the balloon.
    case memory(UInt64)
    /// A DIMM more.
    case dimm(UInt64)

    /// Linux plugs memory in blocks of 128 MiB (x86-64's section size), and a DIMM that is no multiple is
    /// refused.
    static let block: UInt64 = 128 << 20

    /// What of `wanted` the domain that runs as `active` can get. Fewer CPUs it cannot: QEMU 7.2 crashes when
    /// one is unplugged.
    static func all(_ patch: VMPatch, _ wanted: DomainXML, on active: DomainXML) -> [LiveChange] {
        var changes: [LiveChange] = []
        if patch.cpus != nil, wanted.cpus > active.cpus, wanted.cpus <= active.vcpusMaximum ?? 0 {
            changes.append(.addCPUs(to: wanted.cpus))
        }
        if patch.memoryBytes != nil { changes += memory(UInt64(clamping: wanted.memory), on: active) }
        return changes
    }

    private static func memory(_ wanted: UInt64, on active: DomainXML) -> [LiveChange] {
        let most = active.memoryBytes ?? 0
        guard wanted != UInt64(clamping: active.memory) else { return [] }
        if wanted <= most { return [.memory(wanted)] }
        let more = wanted - most
        guard let room = active.maxMemoryBytes, wanted <= room, more % block == 0 else { return [] }
        return [.dimm(more)]
    }

    var sentence: String {
        switch self {
        case .addCPUs(let count): "at once: \(count) CPUs"
        case .memory(let bytes): "at once: \(ByteCount.human(Int64(bytes))) of memory, by the balloon"
        case .dimm(let bytes): "at once: a DIMM of \(ByteCount.human(Int64(bytes)))"
        }
    }

    func apply(to domain: Domain) async throws {
        switch self {
        case .addCPUs(let count): try await domain.setVCPUs(UInt32(count), .live)
        case .memory(let bytes): try await domain.setMemory(kibibytes: UInt(bytes >> 10), .live)
        case .dimm(let bytes): try await domain.attachDevice(Self.dimm(bytes), .live)
        }
    }

    private static func dimm(_ bytes: UInt64) -> String {
        var dimm = MemoryDeviceXML()
        dimm.model = "dimm"
        dimm.sizeBytes = bytes
        dimm.node = 0
        return Document(root: dimm.element).serialized()
    }
}
