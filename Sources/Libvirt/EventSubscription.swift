// SPDX-License-Identifier: Apache-2.0
import CLibvirt

/// Who receives the events of one subscription.
final class EventSink: Sendable {
    let receive: @Sendable (LibvirtEvent) -> Void

    init(_ receive: @escaping @Sendable (LibvirtEvent) -> Void) {
        self.receive = receive
    }
}

/// The callbacks that bring a connection's events, until `cancel`.
///
/// libvirt's registrations hold a reference of the connection each: without `cancel` it never closes.
final class EventSubscription: Sendable {
    private let connection: Connection
    private let callbacks: Callbacks

    /// Registers for everything the driver can tell; what it cannot is left out.
    static func subscribe(
        to connection: Connection, _ receive: @escaping @Sendable (LibvirtEvent) -> Void
    ) async throws -> EventSubscription {
        let sink = EventSink(receive)
        return try await connection.call { raw in
            var callbacks = Callbacks()
            do {
                try callbacks.register(raw, sink)
            } catch {
                callbacks.deregister(raw)
                throw error
            }
            return EventSubscription(connection, callbacks)
        }
    }

    private init(_ connection: Connection, _ callbacks: Callbacks) {
        self.connection = connection
        self.callbacks = callbacks
    }

    /// Ends it. Asks the daemon, so it runs on the connection's executor; works on a lost connection, too.
    func cancel() {
        connection.executor.later { self.callbacks.deregister(self.connection.raw) }
    }
}

/// libvirt's numbers of our registrations.
private struct Callbacks: Sendable {
    private var domain: [Int32] = []
    private var network: [Int32] = []
    private var pool: [Int32] = []

    mutating func register(_ raw: OpaquePointer, _ sink: EventSink) throws {
        // The one event that nobody can do without.
        domain.append(try registered(sink) { clibvirt_on_domain_lifecycle(raw, onLifecycle, $0, $1) })
        for register in optionalDomainRegistrations {
            domain += try registeredIfSupported(sink) { register(raw, $0, $1) }
        }
        network += try registeredIfSupported(sink) { clibvirt_on_network_lifecycle(raw, onNetwork, $0, $1) }
        pool += try registeredIfSupported(sink) { clibvirt_on_pool_lifecycle(raw, onPool, $0, $1) }
        pool += try registeredIfSupported(sink) { clibvirt_on_pool_refresh(raw, onRefresh, $0, $1) }
    }

    func deregister(_ raw: OpaquePointer) {
        for id in domain { virConnectDomainEventDeregisterAny(raw, id) }
        for id in network { virConnectNetworkEventDeregisterAny(raw, id) }
        for id in pool { virConnectStoragePoolEventDeregisterAny(raw, id) }
    }
}

private typealias Register = (UnsafeMutableRawPointer, virFreeCallback) -> Int32

private func registered(_ sink: EventSink, _ register: Register) throws -> Int32 {
    let opaque = Unmanaged.passRetained(sink).toOpaque()
    let id = register(opaque, releaseSink)
    guard id >= 0 else {
        // libvirt frees the opaque only of what it registered.
        Unmanaged<EventSink>.fromOpaque(opaque).release()
        throw LibvirtError.last()
    }
    return id
}

private func registeredIfSupported(_ sink: EventSink, _ register: Register) throws -> [Int32] {
    do {
        return [try registered(sink, register)]
    } catch let error as LibvirtError where error.meansUnsupported {
        return []
    }
}

private let releaseSink: virFreeCallback = { opaque in
    opaque.map { Unmanaged<EventSink>.fromOpaque($0).release() }
}

extension LibvirtError {
    var meansUnsupported: Bool {
        code == .noSupport || code == .operationUnsupported || code == .argumentUnsupported
    }
}
