// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// `/proc/meminfo`, in bytes.
struct MemoryCounters: Sendable {
    private let values: [Substring: Int64]

    init(_ files: HostFiles) {
        var values: [Substring: Int64] = [:]
        for line in files.lines("/proc/meminfo") {
            let words = line.split(whereSeparator: { $0 == ":" || $0 == " " })
            guard words.count > 1, let number = Int64(words[1]) else { continue }
            values[words[0]] = words.count > 2 ? number * 1024 : number
        }
        self.values = values
    }

    subscript(_ name: String) -> Int64 { values[name[...]] ?? 0 }
    var isEmpty: Bool { values.isEmpty }
}

/// Whether there is memory left for one more VM.
struct MemoryFindings: HostCheck {
    let name = "memory"
    let files: HostFiles

    func notes() -> [Note] {
        let memory = MemoryCounters(files)
        guard !memory.isEmpty else { return [.unknown("/proc/meminfo cannot be read")] }
        let (total, free) = (memory["MemTotal"], memory["MemAvailable"])
        let words = "\(ByteCount.human(free)) of \(ByteCount.human(total)) of memory can be had"
        guard free >= max(total / 20, min(total / 4, 512 << 20)) else {
            return [.warning("only \(words)", "ps -eo rss,comm --sort=-rss | head")]
        }
        return [.ok(words)]
    }
}

/// Whether the host can keep what it has promised to the VMs that run.
struct SwapFindings: HostCheck {
    let name = "memory.swap"
    let files: HostFiles
    /// Bytes that running VMs may use.
    let promised: @Sendable () async throws -> Int64

    func notes() async throws -> [Note] {
        let memory = MemoryCounters(files)
        guard !memory.isEmpty else { return [.unknown("/proc/meminfo cannot be read")] }
        let (total, swap) = (memory["MemTotal"], memory["SwapTotal"])
        let promised = try await promised()
        let words = "running VMs may use \(ByteCount.human(promised)) of \(ByteCount.human(total)) of memory"
        let and = swap > 0 ? "\(ByteCount.human(swap)) of swap" : "no swap"
        if promised > total + swap {
            return [
                .warning(
                    "\(words), and there is \(and): once they do, the kernel kills one of them",
                    "vctl vm list --columns name,state,memoryBytes, and stop some or give them less")
            ]
        }
        if promised > total {
            return [
                .warning("\(words), the rest is swap: they will be slow", "give some of them less memory")
            ]
        }
        if swap > 0, memory["SwapFree"] < swap / 2, memory["MemAvailable"] < total / 10 {
            return [
                .warning("more than half of \(and) is used, and memory is short", "vmstat 1 5; swapon --show")
            ]
        }
        return [.ok("\(words), and there is \(and)")]
    }
}

/// Whether huge pages that were set aside can be used.
struct HugePageFindings: HostCheck {
    let name = "memory.hugepages"
    let files: HostFiles

    func notes() -> [Note] {
        let memory = MemoryCounters(files)
        let (total, free) = (memory["HugePages_Total"], memory["HugePages_Free"])
        let mode = files.words("/sys/kernel/mm/transparent_hugepage/enabled").first { $0.hasPrefix("[") }
        let transparent = mode.map { "transparent huge pages: \($0.dropFirst().dropLast())" }
        guard total > 0 else { return [.ok(transparent ?? "the kernel has no huge pages")] }
        let words = "\(free) of \(total) huge pages of \(ByteCount.human(memory["Hugepagesize"])) are free"
        let isMounted = files.lines("/proc/mounts").contains { line in
            let fields = line.split(separator: " ")
            return fields.count > 2 && fields[2] == "hugetlbfs"
        }
        guard isMounted else {
            return [
                .warning(
                    "\(words), but no hugetlbfs is mounted: libvirt cannot give them to VMs",
                    "mount -t hugetlbfs hugetlbfs /dev/hugepages && systemctl restart libvirtd")
            ]
        }
        return [.ok(words + (transparent.map { "; \($0)" } ?? ""))]
    }
}
