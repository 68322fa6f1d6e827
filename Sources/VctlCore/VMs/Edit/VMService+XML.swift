// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI

extension VMService {
    /// libvirt's definition, without secrets: what runs, or what the next start takes.
    public func xml(_ reference: Reference, inactive: Bool) async throws -> String {
        let row = try await row(reference)
        _ = try environment.hypervisor.connection()
        do {
            let domain = try await DomainEffects(environment: environment).existing(row.id)
            return try await domain.xml(inactive ? .inactive : [])
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
    }
}
