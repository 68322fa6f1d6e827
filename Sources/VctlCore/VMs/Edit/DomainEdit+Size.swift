// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VirtXML

extension DomainEdit {
    /// Without room for more CPUs before, there is none after, unless it is asked for.
    mutating func setCPUs(_ cpus: Int?, most: Int?) throws {
        guard cpus != nil || most != nil else { return }
        let known = domain.vcpusMaximum ?? 1
        let now = domain.cpus
        let wanted = cpus ?? now
        let maximum = most ?? (known == now ? wanted : max(known, wanted))
        guard maximum >= wanted else {
            throw Self.refusal("maxCpus", "it has \(wanted) CPUs; give at least as many")
        }
        guard maximum != known || wanted != now else { return }
        try fitTopology(maximum)
        domain.vcpusMaximum = maximum
        domain.vcpusCurrent = maximum > wanted ? wanted : nil
        // libvirt's list of single CPUs is of the old number, and it makes a new one.
        domain.element[child: "vcpus"] = nil
        if var cell = onlyCell {
            cell[attribute: "cpus"] = Hardware.cpuRange(maximum)
            domain.element[path: "cpu/numa/cell"] = cell
        }
        if wanted != now { note("give it \(wanted) CPUs") }
        if maximum != known { note("let it have up to \(maximum) CPUs") }
    }

    /// Sockets, cores and threads have to multiply to the number of CPUs: more CPUs are more sockets.
    private mutating func fitTopology(_ cpus: Int) throws {
        guard let sockets = domain.cpuSockets, let cores = domain.cpuCores, let threads = domain.cpuThreads
        else { return }
        let socket = cores * threads * (domain.cpuDies ?? 1)
        guard sockets * socket != cpus else { return }
        guard socket > 0, cpus % socket == 0 else {
            throw Self.refusal("cpus", "its topology has \(socket) CPUs in a socket; give a multiple of that")
        }
        domain.cpuSockets = cpus / socket
    }

    /// Memory at the start, and up to where it can grow while it runs.
    mutating func setMemory(_ bytes: Int64?, most: Int64?) throws {
        guard bytes != nil || most != nil else { return }
        let now = UInt64(clamping: domain.memory)
        let wanted = bytes.map(UInt64.init) ?? now
        let maximum = most.map(UInt64.init) ?? domain.maxMemoryBytes.map { max($0, wanted) }
        if let maximum, maximum < wanted {
            throw Self.refusal("maxMemoryBytes", "it has \(wanted) bytes; give at least as many")
        }
        if wanted != now || wanted != domain.memoryBytes { try setSize(wanted) }
        if maximum != domain.maxMemoryBytes { try setRoom(maximum.flatMap { $0 > wanted ? $0 : nil }) }
        if wanted != now { note("give it \(ByteCount.human(Int64(wanted))) of memory") }
    }

    private mutating func setSize(_ wanted: UInt64) throws {
        let plugged = domain.memoryDevices.compactMap(\.sizeBytes).reduce(0, +)
        guard wanted > plugged else {
            let dimms = ByteCount.human(Int64(plugged))
            throw Self.refusal("memoryBytes", "\(dimms) of it are DIMMs; give more than that")
        }
        if cells.count > 1 {
            throw Self.refusal(
                "memoryBytes",
                "it has \(cells.count) NUMA nodes, and nobody said which shall change: xmlPatch")
        }
        if var cell = onlyCell {
            cell[attribute: "memory"] = String(wanted - plugged)
            cell[attribute: "unit"] = "bytes"
            domain.element[path: "cpu/numa/cell"] = cell
        }
        domain.memoryBytes = wanted
        domain.currentMemoryBytes = wanted
    }

    private mutating func setRoom(_ maximum: UInt64?) throws {
        guard let maximum else {
            domain.maxMemoryBytes = nil
            domain.element[child: "maxMemory"] = nil
            return note("let its memory not grow while it runs")
        }
        domain.maxMemoryBytes = maximum
        if domain.maxMemorySlots == nil { domain.maxMemorySlots = 16 }
        if cells.isEmpty {
            let cell = Hardware.numaCell(
                cpus: domain.vcpusMaximum ?? 1, memoryBytes: domain.memoryBytes ?? 0)
            domain.element[path: "cpu/numa"] = Element("numa", children: [cell])
        }
        note("let its memory grow to \(ByteCount.human(Int64(maximum))) while it runs")
    }

    private var cells: [Element] { domain.element[path: "cpu/numa"]?.elements(named: "cell") ?? [] }

    private var onlyCell: Element? { cells.count == 1 ? cells[0] : nil }

    static func refusal(_ field: String, _ problem: String) -> Problem {
        Problem(.requestInvalid, "\(field): \(problem)", errors: [FieldProblem(field, problem)])
    }
}
