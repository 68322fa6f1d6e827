// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// Names and addresses that a new VM needs; each is minted once and then stored in the plan.
enum Minting {
    /// A MAC in QEMU's customary prefix, from the given source.
    static func mac(using source: inout some RandomNumberGenerator) -> String {
        let tail = UInt32.random(in: 0..<(1 << 24), using: &source)
        return "52:54:00:\(hex(tail >> 16)):\(hex(tail >> 8)):\(hex(tail))"
    }

    /// A random MAC that is none of `taken`.
    static func mac(avoiding taken: Set<String> = []) -> String {
        var source = SystemRandomNumberGenerator()
        while true {
            let mac = mac(using: &source)
            if !taken.contains(mac) { return mac }
        }
    }

    /// What the names of all TAPs of ours begin with.
    static let tapPrefix = "vt"

    /// The TAP of a VM's NIC: at most 15 bytes, the kernel's limit. libvirt renames `vnet…`, but not this.
    static func tap(vm: ObjectID, index: Int) -> String {
        String("\(tapPrefix)\(vm.short)\(index)".prefix(15))
    }

    /// A disk's serial number: as much of its volume's id as virtio-blk has room for (20 bytes).
    static func serial(volume: ObjectID) -> String {
        String(volume.rawValue.filter { $0 != "-" }.prefix(20))
    }

    private static func hex(_ value: UInt32) -> String {
        let digits = String(value & 0xFF, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }

    /// Gives each disk of a VM its name in the guest's order: `vda`, `vdb`, …; SCSI and SATA share `sda`, ….
    struct Targets {
        private var used: Set<String>

        /// - Parameter used: names that disks have already.
        init(used: [String] = []) { self.used = Set(used) }

        /// The next free name on that bus.
        mutating func next(_ bus: DiskBus) -> String {
            let prefix = bus == .virtio ? "vd" : "sd"
            var index = 0
            while !used.insert(prefix + Self.letters(index)).inserted { index += 1 }
            return prefix + Self.letters(index)
        }

        /// a … z, aa, ab, …
        static func letters(_ index: Int) -> String {
            let last = String(UnicodeScalar(UInt8(ascii: "a") + UInt8(index % 26)))
            return index < 26 ? last : letters(index / 26 - 1) + last
        }
    }
}
