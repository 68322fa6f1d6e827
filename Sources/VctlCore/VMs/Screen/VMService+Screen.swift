// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI
import VirtXML

extension VMService {
    /// More than most screens need, in bytes: 4096 × 4096 points are 48 MiB.
    private static let largestPicture = 64 << 20
    /// They are made one at a time: each takes much memory, and a processor for a while.
    private static let turn = ObjectID()

    /// A picture of the first screen, as PNG.
    /// - Throws: ``Problem`` `vm.state`, `vm.noScreen`.
    public func screenshot(_ reference: Reference, _ context: RequestContext) async throws -> [UInt8] {
        let row = try await row(reference)
        try refuseOff(row)
        _ = try environment.hypervisor.connection()
        do {
            let domain = try await DomainEffects(environment: environment).existing(row.id)
            try refuseBlind(row, try DomainXML(parsing: try await domain.xml()))
            return try await environment.pictures.alone(Self.turn) {
                let shot = try await domain.screenshot()
                let bytes = try await Self.all(of: shot.stream)
                return try await Blocking.run { try Self.png(bytes, shot.mimeType) }
            }
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
    }

    private func refuseBlind(_ row: VMRow, _ domain: DomainXML) throws {
        guard domain.videos.allSatisfy({ $0.model == "none" }) else { return }
        let name = shown(row.name)
        throw Problem(
            .vmNoScreen, "VM \(name) has no video card",
            hint: "vctl vm set \(name) --graphics vnc, then vctl vm restart \(name)")
    }

    private static func all(of stream: ByteStream) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let part = try await stream.read() {
            bytes += part
            guard bytes.count <= largestPicture else {
                await stream.abort()
                throw Problem(
                    .libvirtFailed, "the picture has more than \(largestPicture >> 20) MiB",
                    hint: "set a smaller resolution in the guest")
            }
        }
        try await stream.finish()
        return bytes
    }

    private static func png(_ bytes: [UInt8], _ type: String) throws -> [UInt8] {
        if type == "image/png" { return bytes }
        do {
            return try Picture(ppm: bytes).png
        } catch let error as Picture.Unreadable {
            throw Problem(
                .libvirtFailed,
                "the picture, which libvirt calls \(shown(type)), cannot be read: \(error.reason)")
        }
    }
}
