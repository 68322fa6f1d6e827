// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VctlClient

/// Says on stderr how far work is: a bar on a terminal, else a line now and then. Quick work passes unseen.
final class ProgressLine {
    private let name: String
    private let isTerminal: Bool
    private let began = Clock.now
    private var lastLine: UInt64?
    private var lastPhase = ""
    private var isDrawn = false

    init(_ name: String, isTerminal: Bool = Standard.errorIsTerminal) {
        self.name = name
        self.isTerminal = isTerminal
    }

    /// Seconds between two looks at the work.
    var turn: Double { isTerminal ? 0.2 : 1 }

    func show(_ operation: Operation) {
        guard !operation.isSettled else { return clear() }
        let progress = operation.progress ?? steps(operation)
        show(
            phase: progress.phase, done: progress.done, total: progress.total,
            inBytes: progress.unit == "bytes")
    }

    func show(phase: String, done: Int64, total: Int64?, inBytes: Bool) {
        let age = Clock.seconds(since: began)
        if isTerminal {
            if age > 0.15 { draw(Self.bar(name, phase, done, total, inBytes)) }
        } else if age > 2, phase != lastPhase || lastLine.map({ Clock.seconds(since: $0) > 10 }) ?? true {
            lastLine = Clock.now
            lastPhase = phase
            Standard.error(Self.plain(name, phase, done, total, inBytes))
        }
    }

    private var lastDrawn = UInt64(0)
    private func draw(_ text: String) {
        guard Clock.seconds(since: lastDrawn) > 0.05 else { return }
        lastDrawn = Clock.now
        isDrawn = true
        Standard.errorText("\r\u{1B}[K" + text)
    }

    /// Takes the bar away, so that something else can be said.
    func clear() {
        if isDrawn { Standard.errorText("\r\u{1B}[K") }
        isDrawn = false
    }

    private func steps(_ operation: Operation) -> Operation.Progress {
        let done = operation.steps.filter { $0.status == .done }.count
        let phase = operation.steps.last { $0.status == .started || $0.status == .undoing }?.key
        return .init(phase: phase ?? operation.status.rawValue, done: Int64(done), unit: "items")
    }

    static func bar(_ name: String, _ phase: String, _ done: Int64, _ total: Int64?, _ inBytes: Bool)
        -> String
    {
        let head = "\(shown(name, limit: 40)): \(shown(phase, limit: 30))"
        guard let total, total > 0 else {
            return inBytes && done > 0 ? "\(head) \(ByteCount.human(done))" : head
        }
        let share = min(max(Double(done) / Double(total), 0), 1)
        let filled = Int(share * 24)
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 24 - filled)
        return "\(head) [\(bar)] \(Int(share * 100))%\(amount(done, total, inBytes))"
    }

    static func plain(_ name: String, _ phase: String, _ done: Int64, _ total: Int64?, _ inBytes: Bool)
        -> String
    {
        let head = "\(shown(name, limit: 64)): \(shown(phase, limit: 40))"
        guard let total, total > 0 else {
            return inBytes && done > 0 ? "\(head) \(ByteCount.human(done))" : head
        }
        let percent = Int(min(max(Double(done) / Double(total), 0), 1) * 100)
        return "\(head) \(percent)%\(amount(done, total, inBytes))"
    }

    private static func amount(_ done: Int64, _ total: Int64, _ inBytes: Bool) -> String {
        inBytes ? " \(ByteCount.human(done))/\(ByteCount.human(total))" : " \(done)/\(total)"
    }
}
