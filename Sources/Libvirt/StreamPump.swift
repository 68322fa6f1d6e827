// SPDX-License-Identifier: Apache-2.0
import CLibvirt
import Synchronization

/// What stands between a stream's callback, on the event loop's thread, and the tasks that read and write.
final class StreamPump: Sendable {
    fileprivate struct State {
        var inbound = FIFO<[UInt8]>()
        var inboundBytes = 0
        var isOver = false
        var error: LibvirtError?
        var reader: Waiter<Void>?
        var writer: Waiter<Void>?
        var interest: UInt32 = 0
    }

    private static let readable = VIR_STREAM_EVENT_READABLE.rawValue
    private static let writable = VIR_STREAM_EVENT_WRITABLE.rawValue

    private let limit: Int
    private let state = Mutex(State())

    /// Ends the stream with `overflow` when more than `limit` bytes wait for the reader. To stop taking them
    /// would not help: libvirt itself then keeps all that the daemon sends, without any limit.
    init(limit: Int) {
        self.limit = limit
    }

    /// Registers the callback; libvirt calls no callback while it holds the stream's own lock.
    func start(on raw: OpaquePointer) throws {
        let opaque = Unmanaged.passRetained(self).toOpaque()
        state.withLock { $0.interest = Self.readable }
        guard virStreamEventAddCallback(raw, Int32(Self.readable), onStreamEvent, opaque, releasePump) == 0
        else {
            Unmanaged<StreamPump>.fromOpaque(opaque).release()
            throw LibvirtError.last()
        }
    }

    /// Called by libvirt.
    fileprivate func handle(_ raw: OpaquePointer, _ events: UInt32) {
        if events & Self.writable != 0 { wakeWriter() }
        if events & ~Self.writable != 0 { drain(raw) }
        updateInterest(raw)
    }

    /// Takes what is there, never waiting.
    private func drain(_ raw: OpaquePointer) {
        var buffer = [CChar](repeating: 0, count: 1 << 16)
        while !state.withLock({ $0.isOver }) {
            switch virStreamRecv(raw, &buffer, buffer.count) {
            case -2: return
            case 0: return end(nil)
            case let count where count > 0: deliver(buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) })
            default: return end(LibvirtError.last())
            }
        }
    }

    private func deliver(_ bytes: [UInt8]) {
        let (reader, fits) = state.withLock { state in
            let fits = state.inboundBytes + bytes.count <= limit
            if fits {
                state.inbound.append(bytes)
                state.inboundBytes += bytes.count
            }
            return (state.takeReader(), fits)
        }
        reader?.resume(.success(()))
        if !fits { end(LibvirtError(code: .overflow, message: "the stream's reader is too slow")) }
    }

    /// No more bytes will come; with an error, reader and writer get it after what is there already.
    func end(_ error: LibvirtError?) {
        let (reader, writer) = state.withLock { state in
            if !state.isOver { state.error = error }
            state.isOver = true
            return (state.takeReader(), state.takeWriter())
        }
        reader?.resume(.success(()))
        writer?.resume(.success(()))
    }

    var error: LibvirtError? {
        state.withLock { $0.error }
    }

    private func wakeWriter() {
        let writer = state.withLock { $0.takeWriter() }
        writer?.resume(.success(()))
    }

    func read() async throws -> [UInt8]? {
        while true {
            let waiter = Waiter<Void>()
            if let bytes = try takeOrWait(waiter) {
                return bytes
            }
            if state.withLock({ $0.isOver && $0.inbound.isEmpty }) { return nil }
            try await waiter.value()
        }
    }

    private func takeOrWait(_ waiter: Waiter<Void>) throws -> [UInt8]? {
        try state.withLock { state in
            if let bytes = state.inbound.popFirst() {
                state.inboundBytes -= bytes.count
                return bytes
            }
            if let error = state.error { throw error }
            if !state.isOver { state.reader = waiter } else { waiter.resume(.success(())) }
            return nil
        }
    }

    func waitUntilWritable(_ stream: ByteStream) async throws {
        let waiter = Waiter<Void>()
        try state.withLock { state in
            if let error = state.error { throw error }
            if state.isOver { waiter.resume(.success(())) } else { state.writer = waiter }
        }
        updateInterest(stream.raw)
        try await waiter.value()
    }

    /// Tells libvirt what we wait for; never blocks. Under our lock, so that the last word is the right one.
    private func updateInterest(_ raw: OpaquePointer) {
        state.withLock { state in
            guard !state.isOver || state.interest != 0 else { return }
            var wanted: UInt32 = state.isOver ? 0 : Self.readable
            if state.writer != nil { wanted |= Self.writable }
            guard wanted != state.interest else { return }
            state.interest = wanted
            virStreamEventUpdateCallback(raw, Int32(wanted))
        }
    }
}

extension StreamPump.State {
    fileprivate mutating func takeReader() -> Waiter<Void>? {
        defer { reader = nil }
        return reader
    }

    fileprivate mutating func takeWriter() -> Waiter<Void>? {
        defer { writer = nil }
        return writer
    }
}

private let onStreamEvent: virStreamEventCallback = { stream, events, opaque in
    guard let stream, let opaque else { return }
    Unmanaged<StreamPump>.fromOpaque(opaque).takeUnretainedValue().handle(stream, UInt32(bitPattern: events))
}

private let releasePump: virFreeCallback = { opaque in
    opaque.map { Unmanaged<StreamPump>.fromOpaque($0).release() }
}
