// SPDX-License-Identifier: Apache-2.0
import CLibvirt
import FoundationEssentials
import Glibc

/// A libvirt object that we hold one reference of, given back in its `deinit`.
///
/// libvirt imports each of its handles as the same `OpaquePointer`, so each is wrapped at once.
protocol Handle: AnyObject, Sendable {
    var raw: OpaquePointer { get }
    var connection: Connection { get }
}

extension Handle {
    /// Makes a blocking call with the handle, on the executor of its connection.
    func call<T: Sendable>(_ body: @Sendable (OpaquePointer) throws -> T) async throws -> T {
        try connection.requireOpen()
        return try await connection.executor.run { try body(self.raw) }
    }
}

/// Takes over an array of handles that libvirt allocated.
func takeHandles(
    _ list: (UnsafeMutablePointer<UnsafeMutablePointer<OpaquePointer?>?>) -> Int32
) throws -> [OpaquePointer] {
    var handles: UnsafeMutablePointer<OpaquePointer?>?
    let count = try check(list(&handles))
    defer { free(handles) }
    guard let handles else { return [] }
    return (0..<Int(count)).compactMap { handles[$0] }
}

extension UUID {
    /// Reads a UUID through one of libvirt's `vir…GetUUID`, none of which asks the daemon.
    init(reading read: (UnsafeMutablePointer<UInt8>) -> Int32) {
        var bytes = UUID().uuid
        _ = withUnsafeMutableBytes(of: &bytes) { buffer in
            buffer.baseAddress.map { read($0.assumingMemoryBound(to: UInt8.self)) }
        }
        self.init(uuid: bytes)
    }

    func withBytes<T>(_ body: (UnsafePointer<UInt8>) throws -> T) rethrows -> T {
        try withUnsafeBytes(of: uuid) { buffer in
            // A UUID is 16 bytes, so the buffer has an address.
            try body(buffer.baseAddress!.assumingMemoryBound(to: UInt8.self))
        }
    }
}

/// Flags of a libvirt call.
public protocol LibvirtFlags: OptionSet, Sendable where RawValue == UInt32 {}

extension LibvirtFlags {
    init<E: RawRepresentable>(_ value: E) where E.RawValue == UInt32 {
        self.init(rawValue: value.rawValue)
    }
}
