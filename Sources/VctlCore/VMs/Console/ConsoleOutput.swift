// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// What a guest says on a line, from one place on.
struct LineOutput: Sendable {
    let line: ConsoleLine
    private var place: Int64
    private let more: Signal
    private var lastPiece = ContinuousClock.now - .seconds(1)

    init(_ line: ConsoleLine, tail: Int64) { self.init(line, from: line.place(tail: tail)) }

    init(_ line: ConsoleLine, from place: Int64, _ more: Signal = Signal()) {
        self.line = line
        self.place = place
        self.more = more
        line.tell(more)
    }

    /// The next bytes; `nil` at the end.
    /// - Throws: ``Problem`` `console.overrun`.
    mutating func next() async throws -> [UInt8]? {
        while !Task.isCancelled {
            switch line.piece(at: place) {
            case .bytes(let bytes):
                place += Int64(bytes.count)
                return bytes
            case .nothing:
                let early = lastPiece + ConsoleLog.pause - .now
                if early > .zero { try await Task.sleep(for: early) }
                if line.piece(at: place) == .nothing { await more.wait(atMost: .seconds(60)) }
                lastPiece = .now
            case .lost: throw ConsoleLog.overrun
            case .end: return nil
            }
        }
        return nil
    }

    func leave() { line.forget(more) }
}

/// What a guest says, first by its log and then by the line. The log has what was said before, and in the
/// second that QEMU takes to see that somebody listens to the line; but once somebody does, QEMU at times
/// writes a byte twice into the log (whenever its terminal is full for a moment), so that only the line is
/// exact.
struct SeamedOutput {
    private var log: ConsoleLog.Iterator
    private let line: ConsoleLine
    private let more = Signal()
    /// The line's, once the place is found where it goes on.
    private var output: LineOutput?
    /// The last that the log gave.
    private var said: [UInt8] = []
    /// Where the line was when the log gave its last piece.
    private var lineThen: Int64
    private var lastNews = ContinuousClock.now
    private var lineEnd: Int64
    private var nextSearch = ContinuousClock.now
    /// Told once, when the line goes on alone.
    private let seamed: @Sendable () -> Void

    /// So much of the log is looked for on the line.
    private static let pattern = 512
    /// After so long a silence of both the log has all that the line has.
    private static let silence = Duration.milliseconds(100)
    /// A log that says nothing for so long while the line does is not this line's.
    private static let patience = Duration.seconds(2)

    init(_ log: ConsoleLog, _ line: ConsoleLine, seamed: @escaping @Sendable () -> Void = {}) {
        self.log = log.makeAsyncIterator()
        self.line = line
        self.seamed = seamed
        lineThen = line.end
        lineEnd = line.end
        line.tell(more)
    }

    /// The next bytes; `nil` at the end.
    /// - Throws: ``Problem`` `console.overrun`.
    mutating func next() async throws -> [UInt8]? {
        while !Task.isCancelled {
            if output != nil { return try await output?.next() }
            if line.isOver { return try await log.next() }
            try await searchWhileBusy()
            guard output == nil else { continue }
            if let bytes = try log.poll() {
                said = Array((said + bytes).suffix(Self.pattern))
                (lastNews, lineThen) = (.now, line.end)
                return bytes
            }
            try await rest()
        }
        return nil
    }

    func leave() { line.forget(more) }

    /// Both are read to their ends: either this is the seam, or something comes.
    private mutating func rest() async throws {
        if line.end != lineEnd { (lineEnd, lastNews) = (line.end, .now) }
        guard lineEnd > 0 else { return try await log.waitForMore(more, atMost: .milliseconds(500)) }
        let quiet = ContinuousClock.now - lastNews
        // Not because both are silent: on a busy host virtlogd can be behind by more than that.
        if quiet >= Self.silence, line.ends(like: said) {
            goOn(from: lineEnd)
        } else if quiet >= Self.patience {
            goOn(from: lineThen)
        } else {
            try await Task.sleep(for: ConsoleLog.pause)
        }
    }

    /// A guest that never pauses: the end of what the log gave is looked for on the line, which may be
    /// behind.
    private mutating func searchWhileBusy() async throws {
        guard said.count == Self.pattern, line.end > 0, ContinuousClock.now >= nextSearch else { return }
        nextSearch = .now + .milliseconds(500)
        for _ in 0..<10 {
            if let place = line.place(behind: said) { return goOn(from: place) }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private mutating func goOn(from place: Int64) {
        output = LineOutput(line, from: place, more)
        seamed()
    }
}
