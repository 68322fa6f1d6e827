// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Libvirt
import VctlAPI

/// The host, the daemon and its libvirt.
public struct HostService: Sendable {
    let environment: VMEnvironment
    let startedAt: Timestamp
    private let doctor: SharedReading<[Finding]>

    init(environment: VMEnvironment, startedAt: Timestamp) {
        self.environment = environment
        self.startedAt = startedAt
        let all = Doctor(environment)
        doctor = SharedReading { await all.findings() }
    }

    /// Whether the host is fit for VMs, as this daemon sees it; takes as long as its slowest check, and
    /// changes nothing.
    public func examine(_ query: ListQuery) async throws -> Rendered {
        let findings = try await doctor.value()
        return try await environment.inventory.read { db in
            let texts = try findings.map { try JSON.text($0) }
            return Rendered(json: try FieldFilter.array(texts, query.fields, db))
        }
    }

    /// All of it; what libvirt alone knows is left out while it is away.
    public func show() async throws -> Host {
        let hypervisor = environment.hypervisor
        let counts = try await environment.inventory.read { db in
            (
                vms: try Int.fetchOne(db, sql: "SELECT count(*) FROM vm") ?? 0,
                running: try Int.fetchOne(db, sql: "SELECT count(*) FROM vm WHERE state = 'running'") ?? 0
            )
        }
        var host = Host(
            hostname: ProcessInfo.processInfo.hostName, instance: environment.state.instance,
            version: Wire.version, startedAt: startedAt, synced: environment.watcher.isSynced,
            libvirt: .init(uri: hypervisor.uri, connected: hypervisor.isConnected),
            accelerator: await environment.accelerator.result(), vms: counts.vms,
            running: counts.running)
        await describe(&host)
        return host
    }

    private func describe(_ host: inout Host) async {
        do {
            let connection = try environment.hypervisor.managed.connection()
            let node = try await connection.nodeInfo()
            host.cpus = node.cpus
            host.memoryBytes = Int64(clamping: node.memoryKibibytes) * 1024
            host.libvirt.version = try await connection.libraryVersion().description
            let type = try await connection.hypervisorType()
            host.libvirt.hypervisor = "\(type) \(try await connection.hypervisorVersion())"
        } catch {
            host.libvirt.connected = environment.hypervisor.isConnected
            host.libvirt.error = shown("\(error)", limit: 300)
        }
    }

    /// Whether requests are served from an inventory that was compared with libvirt, now or, where libvirt is
    /// away, at some time.
    public var isReady: Bool {
        get async throws {
            if environment.watcher.isSynced { return true }
            guard !environment.hypervisor.isConnected else { return false }
            return try await environment.inventory.read { try Comparison.wasMade($0) }
        }
    }

    /// Whether libvirt is connected.
    public var isConnected: Bool { environment.hypervisor.isConnected }

    /// How old the view of libvirt is.
    public var observedAt: Timestamp { environment.watcher.observedAt }
}
