// SPDX-License-Identifier: Apache-2.0
import CLibvirt

extension Domain {
    /// The XML element under `<metadata>` with a namespace, or nil if there is none.
    /// - Throws: `LibvirtError`.
    public func metadata(uri: String, _ affect: Affect = []) async throws -> String? {
        try await text(VIR_DOMAIN_METADATA_ELEMENT, uri: uri, affect)
    }

    /// Its title, or nil.
    /// - Throws: `LibvirtError`.
    public func title(_ affect: Affect = []) async throws -> String? {
        try await text(VIR_DOMAIN_METADATA_TITLE, uri: nil, affect)
    }

    /// Its description, or nil.
    /// - Throws: `LibvirtError`.
    public func note(_ affect: Affect = []) async throws -> String? {
        try await text(VIR_DOMAIN_METADATA_DESCRIPTION, uri: nil, affect)
    }

    /// Sets, or with nil removes, the element under `<metadata>` with a namespace.
    /// - Parameter key: the prefix that libvirt writes the element with.
    /// - Throws: `LibvirtError`.
    public func setMetadata(_ xml: String?, uri: String, key: String, _ affect: Affect) async throws {
        try await call {
            let type = Int32(VIR_DOMAIN_METADATA_ELEMENT.rawValue)
            _ = try check(virDomainSetMetadata($0, type, xml, key, uri, affect.rawValue))
        }
    }

    /// Sets or removes its title (one line).
    /// - Throws: `LibvirtError`.
    public func setTitle(_ text: String?, _ affect: Affect) async throws {
        try await setText(text, VIR_DOMAIN_METADATA_TITLE, affect)
    }

    /// Sets or removes its description.
    /// - Throws: `LibvirtError`.
    public func setNote(_ text: String?, _ affect: Affect) async throws {
        try await setText(text, VIR_DOMAIN_METADATA_DESCRIPTION, affect)
    }

    private func setText(_ text: String?, _ type: virDomainMetadataType, _ affect: Affect) async throws {
        try await call {
            _ = try check(virDomainSetMetadata($0, Int32(type.rawValue), text, nil, nil, affect.rawValue))
        }
    }

    private func text(_ type: virDomainMetadataType, uri: String?, _ affect: Affect) async throws -> String? {
        do {
            return try await call {
                try takeString(virDomainGetMetadata($0, Int32(type.rawValue), uri, affect.rawValue))
            }
        } catch let error as LibvirtError where error.code == .noDomainMetadata {
            return nil
        }
    }
}
