// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Glibc

/// A change of the host's links that goes back by itself unless somebody confirms it in time. It is a file,
/// and whoever renames that first has decided: a daemon that confirms, or whoever undoes.
public struct WayBack: Sendable {
    /// The name of the file while nothing is decided.
    public let path: String

    /// What the file holds.
    public struct Order: Codable, Sendable {
        /// How it was before.
        public var snapshot: NetworkSnapshot
        /// When it goes back, in seconds since the host's start.
        public var deadline: Int
        /// Which start of the host that is.
        public var boot: String
        /// Whose change it is; whatever tells them apart.
        public var owner: String

        /// An order for this start of the host.
        public init(snapshot: NetworkSnapshot, deadline: Int, owner: String) {
            self.snapshot = snapshot
            self.deadline = deadline
            self.owner = owner
            boot = BootClock.boot
        }

        /// Whether the host was started anew since, and has forgotten the change.
        public var isOfEarlierBoot: Bool { boot != BootClock.boot }

        /// Whether the time to confirm it has passed.
        public var isOver: Bool { BootClock.seconds >= deadline }
    }

    /// How far it is.
    public enum State: Hashable, Sendable {
        /// It may be confirmed.
        case open
        /// It stays.
        case confirmed
        /// It is going back; whoever does so may have died.
        case undoing
        /// It has gone back.
        case undone
        /// There is none.
        case none
    }

    /// The order in that file.
    public init(path: String) { self.path = path }

    private var confirmedPath: String { path + ".confirmed" }
    private var undoingPath: String { path + ".undoing" }
    private var undonePath: String { path + ".undone" }
    private var guardPath: String { path + ".guard" }

    public var state: State {
        func isThere(_ path: String) -> Bool { access(path, F_OK) == 0 }
        if isThere(path) { return .open }
        if isThere(confirmedPath) { return .confirmed }
        if isThere(undonePath) { return .undone }
        return isThere(undoingPath) ? .undoing : .none
    }

    /// The order, as long as nobody forgets it.
    public var order: Order? {
        [path, undoingPath, undonePath].lazy.compactMap { FileManager.default.contents(atPath: $0) }.first
            .flatMap { try? JSONDecoder().decode(Order.self, from: $0) }
    }

    /// Decides that it stays.
    /// - Returns: `false` where it was decided otherwise, or there is nothing to decide.
    public func confirm() -> Bool { rename(path, confirmedPath) == 0 }

    /// Decides that it goes back, unless it was decided already, and does so. Where somebody is at it, waits
    /// for their end first.
    /// - Parameter again: also where it has gone back, since somebody was still changing things just then.
    /// - Throws: ``HostNetError``; it may be done again.
    public func undo(again: Bool = false) throws {
        _ = rename(path, undoingPath)
        try alone {
            guard state == .undoing || again && state == .undone, let order else { return }
            if !order.isOfEarlierBoot { try order.snapshot.restore() }
            _ = rename(undoingPath, undonePath)
        }
    }

    /// The lock is on the order's own file, which keeps it under all its names, and loses it with the
    /// process that holds it.
    private func alone(_ body: () throws -> Void) throws {
        let paths: [String] = [undoingPath, undonePath]
        let files = paths.lazy.map { path -> Int32 in open(path, O_RDONLY | O_CLOEXEC) }
        guard let file = files.first(where: { $0 >= 0 }) else { return }
        defer { close(file) }
        while flock(file, LOCK_EX) != 0 {
            guard errno == EINTR else {
                throw HostNetError(
                    call: "lock \(path)", errno: errno, message: String(cString: strerror(errno)))
            }
        }
        try body()
    }

    /// Removes all that is left of it, once nobody asks any more.
    public func forget() {
        for path in [path, confirmedPath, undoingPath, undonePath, guardPath] { unlink(path) }
    }

    // MARK: The guard

    /// Waits for the deadline, and lets it go back; or for somebody's decision. For the process that does
    /// nothing else.
    public func keepWatch() throws {
        guard let order else { return }
        noteGuard()
        while !order.isOver, state == .open, isStill(order) { usleep(100_000) }
        // Another change may have begun meanwhile, with a guard of its own.
        guard isStill(order) else { return }
        // What cannot be restored at once may be soon, as a card that is just coming back.
        for _ in 0..<30 {
            do { return try undo() } catch { sleep(1) }
        }
        try undo()
    }

    private func isStill(_ order: Order) -> Bool { self.order?.owner == order.owner }

    /// Tells that somebody keeps watch: its process and since when that runs.
    private func noteGuard() {
        let temporary = guardPath + ".new"
        guard let data = try? JSONEncoder().encode(ProcessIdentity(running: getpid())),
            (try? data.write(to: URL(filePath: temporary))) != nil
        else { return }
        _ = rename(temporary, guardPath)
    }

    /// Whether a guard keeps watch.
    public var isGuarded: Bool {
        let data = FileManager.default.contents(atPath: guardPath)
        return data.flatMap { try? JSONDecoder().decode(ProcessIdentity.self, from: $0) }?.isAlive ?? false
    }
}
