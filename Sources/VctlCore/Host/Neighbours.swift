// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// Whom the host has spoken to on its links, by the kernel's own table (ARP).
struct Neighbours: Sendable {
    var files = HostFiles()

    /// The addresses of each MAC, in lower case; those that did not answer are left out.
    func addresses() -> [String: [VM.Address]] {
        var found: [String: [VM.Address]] = [:]
        // `10.0.0.5 0x1 0x2 52:54:00:12:34:56 * br0`: without flags nobody has answered.
        for line in files.lines("/proc/net/arp").dropFirst() {
            let fields = line.split(separator: " ").map(String.init)
            guard fields.count == 6, fields[2] != "0x0", IPAddress(fields[0]) != nil else { continue }
            found[fields[3].lowercased(), default: []].append(VM.Address(address: fields[0], source: .arp))
        }
        return found
    }
}
