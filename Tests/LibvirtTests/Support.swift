// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Libvirt

/// All connections to `test:///default` in one process share one state, so every test uses names of its own.
func openTest(executor: LibvirtExecutor = .shared) async throws -> Connection {
    try await Connection.open(uri: "test:///default", executor: executor)
}

func uniqueName(_ prefix: String) -> String {
    "\(prefix)-\(UUID().uuidString.prefix(8).lowercased())"
}

func domainXML(name: String, uuid: UUID = UUID()) -> String {
    """
    <domain type='test'>
      <name>\(name)</name>
      <uuid>\(uuid.uuidString.lowercased())</uuid>
      <memory unit='KiB'>8192</memory>
      <vcpu>1</vcpu>
      <os><type arch='i686'>hvm</type></os>
    </domain>
    """
}

func networkXML(name: String) -> String {
    """
    <network>
      <name>\(name)</name>
      <forward mode='nat'/>
      <bridge name='\(name.suffix(8))'/>
      <ip address='192.0.2.1' netmask='255.255.255.0'/>
    </network>
    """
}

func poolXML(name: String, path: String? = nil) -> String {
    let path = path ?? "/nowhere/\(name)"
    return "<pool type='dir'><name>\(name)</name><target><path>\(path)</path></target></pool>"
}

func volumeXML(name: String, bytes: Int = 1 << 20) -> String {
    "<volume><name>\(name)</name><capacity>\(bytes)</capacity><target><format type='raw'/></target></volume>"
}

/// The error of a call that must fail with a `LibvirtError`.
func libvirtError(_ body: () async throws -> Void) async -> LibvirtError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? LibvirtError
    }
}

/// Polls until something is so; false when it is not within a generous deadline.
func eventually(_ condition: () async throws -> Bool) async rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(20))
    }
    return false
}

extension LibvirtEvent {
    /// The change of life of a domain with a UUID, as libvirt's event and detail.
    func lifecycle(of uuid: UUID) -> [Int32]? {
        guard case .domain(let object, .lifecycle(let change, let detail)) = self, object.uuid == uuid else {
            return nil
        }
        return [change.rawValue, detail]
    }
}
