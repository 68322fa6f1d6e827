// SPDX-License-Identifier: Apache-2.0
import Glibc
import VctlAPI
import VctlClient

/// `vm top` on a terminal: a table that is drawn again and again, and keys.
final class TopScreen {
    private let sampler: TopSampler
    private let printer: Printer
    private var order: TopOrder
    private var rates: [TopRates] = []
    private var trouble: String?

    init(_ sampler: TopSampler, _ printer: Printer, _ order: TopOrder) {
        self.sampler = sampler
        self.printer = printer
        self.order = order
    }

    /// Runs until q or Ctrl-C.
    /// - Throws: why the first look failed; later ones are shown and tried again.
    func run() throws {
        rates = try sampler.look()
        let terminal = RawTerminal(0)
        // Another screen, so that what was there before comes back.
        Standard.out("\u{1B}[?1049h\u{1B}[?25l")
        defer {
            Standard.out("\u{1B}[?25h\u{1B}[?1049l")
            terminal.restore(newLine: false)
        }
        while true {
            try draw()
            let next = Deadline.after(seconds: sampler.seconds, throwing: .timeout)
            guard try keys(until: next) else { return }
            look()
        }
    }

    /// Takes keys until the next look is due; `false` once the user leaves.
    private func keys(until next: Deadline) throws -> Bool {
        while !next.hasPassed {
            do {
                _ = try Poll.wait([.readable(0)], until: next, sampler.client.interrupts)
            } catch ClientError.timeout {
                return true
            }
            var key: UInt8 = 0
            guard read(0, &key, 1) == 1 else { return false }
            // In raw mode Ctrl-C and Ctrl-D are keys like others.
            if key == UInt8(ascii: "q") || key == 0x03 || key == 0x04 { return false }
            guard let chosen = TopOrder(key: key) else { continue }
            order = chosen
            try draw()
        }
        return true
    }

    private func look() {
        do {
            rates = try sampler.look()
            trouble = nil
        } catch {
            trouble = Failure(error).message
        }
    }

    private func draw() throws {
        let size = Self.size
        let nodes = try rates.sorted(by: order.precedes).map { try JSONNode(parsing: try $0.bytes()) }
        let table = printer.table(nodes).split(separator: "\n", omittingEmptySubsequences: false)
        let lines = [head, ""] + table.map(String.init)
        let shown = lines.prefix(max(1, size.rows - 1)).map { Self.cut($0, size.columns) + "\u{1B}[K\r\n" }
        Standard.out("\u{1B}[H" + shown.joined() + "\u{1B}[J")
    }

    private var head: String {
        if let trouble { return "error: \(VctlAPI.shown(trouble, limit: 300))" }
        let percent = rates.compactMap(\.cpuPercent).reduce(0, +)
        let text = "\(rates.count) VMs, CPU \(TopRates.percent(percent)), by \(order.rawValue)"
        return text + "   [c]pu [m]emory [d]isk [n]etwork n[a]me [q]uit"
    }

    static func cut(_ line: String, _ columns: Int) -> String {
        guard Table.width(line) > columns else { return line }
        var result = line
        while Table.width(result) > columns { result.removeLast() }
        return result
    }

    private static var size: (rows: Int, columns: Int) {
        var size = winsize()
        guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0, size.ws_col > 0 else {
            return (24, 80)
        }
        return (Int(size.ws_row), Int(size.ws_col))
    }
}

extension TopRates {
    /// `12.5 %`, without the help of all of Foundation.
    static func percent(_ value: Double) -> String {
        let tenths = Int64((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) %"
    }
}
