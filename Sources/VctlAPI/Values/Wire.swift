// SPDX-License-Identifier: Apache-2.0

/// The names of this API's own headers and media types.
public enum Wire {
    /// How old the shown view of libvirt is: an RFC 3339 time.
    public static let observedAt = "Vctl-Observed-At"
    /// The same key and body give the same operation.
    public static let idempotencyKey = "Idempotency-Key"
    /// RFC 9457.
    public static let problem = "application/problem+json"
    /// RFC 7396.
    public static let mergePatch = "application/merge-patch+json"
    /// What a console's connection is upgraded to: bytes as they are, in both directions.
    public static let stream = "vctl-stream"
    /// Names the caller's own end of a console, as ``ConsoleStatus/ended`` does.
    public static let session = "Vctl-Session"
    /// The largest JSON body, in bytes.
    public static let maximumBody = 1 << 20
    /// The socket of a daemon that was not told another.
    public static let defaultSocket = "/run/vctld/vctld.sock"
    /// The read-only socket that belongs to a socket: `X/foo.sock` → `X/foo-ro.sock`.
    public static func readOnlySocket(beside socket: String) -> String {
        let name = socket.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return socket + "-ro" }
        let suffix = name[dot...]
        return socket.dropLast(suffix.count) + "-ro" + suffix
    }
    /// The version of daemon and command line.
    public static let version = "0.1.0"
}
