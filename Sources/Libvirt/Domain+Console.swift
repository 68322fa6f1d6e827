// SPDX-License-Identifier: Apache-2.0
import CLibvirt

/// A picture of a guest's screen.
public struct Screenshot: Sendable {
    /// What kind of picture libvirt sends, for example `image/png`.
    public let mimeType: String
    /// Its bytes.
    public let stream: ByteStream
}

extension Domain {
    /// What is done about another reader of the same console.
    public struct ConsoleFlags: LibvirtFlags {
        /// libvirt's bits.
        public let rawValue: UInt32
        /// A set from libvirt's bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Disconnect it.
        public static let force = Self(VIR_DOMAIN_CONSOLE_FORCE)
        /// Refuse if it is not certain that there is none.
        public static let safe = Self(VIR_DOMAIN_CONSOLE_SAFE)
    }

    /// So much of a console may wait for its reader, in bytes; more ends it with `overflow`.
    public static let consoleLimit = 4 << 20

    /// Opens a console by its alias, or the first one.
    /// - Throws: `LibvirtError`, `operationInvalid` if it does not run.
    public func openConsole(_ alias: String? = nil, _ flags: ConsoleFlags = []) async throws -> ByteStream {
        try await ByteStream.attached(on: connection, limit: Self.consoleLimit) { stream in
            _ = try check(virDomainOpenConsole(self.raw, alias, stream, flags.rawValue))
        }
    }

    /// A picture of a screen.
    /// - Throws: `LibvirtError`.
    public func screenshot(screen: UInt32 = 0) async throws -> Screenshot {
        let (stream, type) = try await ByteStream.attached(on: connection) { stream in
            try takeString(virDomainScreenshot(self.raw, stream, screen, 0))
        }
        return Screenshot(mimeType: type, stream: stream)
    }
}
