// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A moment on the monotonic clock after which waiting ends with an error.
public struct Deadline: Sendable {
    private let nanoseconds: UInt64?
    /// What is thrown once it has passed.
    public let error: ClientError

    /// No deadline.
    public static let never = Deadline(nanoseconds: nil, error: .timeout)

    /// A deadline so many seconds from now.
    public static func after(seconds: Double, throwing error: ClientError = .timeout) -> Deadline {
        let span = UInt64(min(max(seconds, 0), 1e9) * 1e9)
        return Deadline(nanoseconds: Clock.now + span, error: error)
    }

    private init(nanoseconds: UInt64?, error: ClientError) {
        self.nanoseconds = nanoseconds
        self.error = error
    }

    /// Seconds left, never below zero; `nil` without a limit.
    public var secondsLeft: Double? {
        guard let nanoseconds else { return nil }
        let now = Clock.now
        return nanoseconds > now ? Double(nanoseconds - now) / 1e9 : 0
    }

    /// Whether it has passed.
    public var hasPassed: Bool { secondsLeft == 0 }

    /// The earlier of two deadlines, with its own error.
    public func orSooner(_ other: Deadline) -> Deadline {
        guard let mine = nanoseconds else { return other }
        guard let theirs = other.nanoseconds else { return self }
        return mine <= theirs ? self : other
    }

    /// What `poll` is told: rounded up, so that the wait does not end just before the deadline.
    var pollMilliseconds: Int32 {
        guard let left = secondsLeft else { return -1 }
        return Int32(min((left * 1000).rounded(.up), 1e9))
    }
}

/// The monotonic clock.
public enum Clock {
    /// Nanoseconds since some moment in the past.
    public static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Seconds since `earlier`, a former ``now``.
    public static func seconds(since earlier: UInt64) -> Double { Double(now - earlier) / 1e9 }
}
