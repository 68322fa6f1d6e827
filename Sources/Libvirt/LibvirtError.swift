// SPDX-License-Identifier: Apache-2.0
import CLibvirt
import Glibc

/// What libvirt said when a call failed. Match it by `code`, never by `message`.
public struct LibvirtError: Error, Sendable, Hashable {
    /// How bad libvirt thinks it is.
    public enum Level: Int32, Sendable {
        /// No error at all.
        case none = 0
        /// The call went on.
        case warning = 1
        /// The call failed.
        case error = 2
    }

    /// The number to match on.
    public let code: Code
    /// The part of libvirt that failed (`virErrorDomain`).
    public let domain: Int32
    /// libvirt's words, for people.
    public let message: String
    /// How bad it is.
    public let level: Level
    /// The errno behind a `systemError`, where libvirt passed it on.
    public let systemErrno: Int32?

    /// An error with the given parts.
    public init(
        code: Code, domain: Int32 = 0, message: String, level: Level = .error, systemErrno: Int32? = nil
    ) {
        self.code = code
        self.domain = domain
        self.message = message
        self.level = level
        self.systemErrno = systemErrno
    }

    init(_ raw: virError) {
        code = Code(rawValue: raw.code)
        domain = raw.domain
        message = raw.message.map { String(cString: $0) } ?? ""
        level = Level(rawValue: Int32(raw.level.rawValue)) ?? .error
        systemErrno = code == .systemError && raw.int1 > 0 ? raw.int1 : nil
    }

    /// This thread's last error. libvirt keeps it per thread, so it must be read before any `await`.
    static func last() -> LibvirtError {
        guard let raw = virGetLastError() else {
            return LibvirtError(code: .internalError, message: "libvirt failed without saying why")
        }
        return LibvirtError(raw.pointee)
    }

    /// The connection is not there: not opened yet, lost, or closed by us.
    static func notConnected(_ message: String) -> LibvirtError {
        LibvirtError(code: .noConnect, message: message)
    }
}

extension LibvirtError: CustomStringConvertible {
    /// The message with its numbers.
    public var description: String {
        "\(message) (libvirt error \(code.rawValue), domain \(domain))"
    }
}

@discardableResult
func check(_ result: Int32) throws -> Int32 {
    guard result >= 0 else { throw LibvirtError.last() }
    return result
}

func checkFlag(_ result: Int32) throws -> Bool {
    try check(result) == 1
}

func checkHandle(_ pointer: OpaquePointer?) throws -> OpaquePointer {
    guard let pointer else { throw LibvirtError.last() }
    return pointer
}

/// Takes over a string that libvirt allocated for us.
func takeString(_ pointer: UnsafeMutablePointer<CChar>?) throws -> String {
    guard let pointer else { throw LibvirtError.last() }
    defer { free(pointer) }
    return String(cString: pointer)
}
