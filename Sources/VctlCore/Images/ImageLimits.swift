// SPDX-License-Identifier: Apache-2.0

/// What an import may take, and how long a server may be silent.
public struct ImageLimits: Sendable {
    /// The largest content that is received or downloaded, in bytes.
    public var contentBytes: Int64 = 4 << 40
    /// The largest disk that an image may show to a guest, in bytes.
    public var virtualBytes: Int64 = 64 << 40
    /// Seconds until a server must have taken the connection.
    public var connectSeconds = 30
    /// Seconds without a byte after which a connection counts as lost.
    public var silentSeconds = 60
    /// Attempts in a row that bring no byte, before a download is given up.
    public var attempts = 5
    /// Seconds before the second attempt; each further one waits twice as long.
    public var pauseSeconds = 1.0
    /// Bytes of an upload after which they are made safe and counted.
    public var checkpointBytes = 64 << 20

    /// The limits of a daemon that was not told others.
    public init() {}
}
