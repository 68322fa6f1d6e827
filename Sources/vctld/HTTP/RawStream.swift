// SPDX-License-Identifier: Apache-2.0
import NIOCore
import VctlAPI

/// What is between a client's socket and HTTP, and can take the socket over: bytes as they are, in both
/// directions. What the client sends and nobody has asked for waits at the client.
final class RawStream: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private enum Mode {
        /// HTTP has the socket.
        case http
        /// The client asked for the stream, and HTTP has nothing more to read.
        case asked
        /// The stream has begun.
        case raw
    }

    /// So much is taken from a client beforehand, in bytes.
    private static let ahead = 65_536

    private var mode = Mode.http
    private var waiting = CircularBuffer<ByteBuffer>()
    private var waitingBytes = 0
    private var mustRead = false
    private var inputIsOver = false
    private var reader: EventLoopPromise<ByteBuffer?>?
    /// Whoever read waits for nothing more.
    private var readerHasLeft = false
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        endInput()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        guard mode == .http else { return take(bytes) }
        let head = Self.upgradeHead(bytes)
        context.fireChannelRead(wrapInboundOut(head ?? bytes))
        guard let head else { return }
        mode = .asked
        // Some clients do not wait for the 101; HTTP would throw away what is behind its request.
        take(
            bytes.getSlice(
                at: bytes.readerIndex + head.readableBytes, length: bytes.readableBytes - head.readableBytes)!
        )
    }

    func channelInactive(context: ChannelHandlerContext) {
        endInput()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { endInput() }
        // HTTP would take the end of the input for the end of the connection.
        if mode == .raw, event is ChannelEvent { return }
        context.fireUserInboundEventTriggered(event)
    }

    func read(context: ChannelHandlerContext) {
        if mode != .http, waitingBytes >= Self.ahead {
            mustRead = true
        } else {
            context.read()
        }
    }

    private func take(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        if let reader {
            self.reader = nil
            return reader.succeed(bytes)
        }
        waiting.append(bytes)
        waitingBytes += bytes.readableBytes
    }

    private func endInput() {
        inputIsOver = true
        reader?.succeed(nil)
        reader = nil
    }

    /// The head of a request for the stream, if the bytes begin with one.
    private static func upgradeHead(_ bytes: ByteBuffer) -> ByteBuffer? {
        let view = bytes.readableBytesView
        guard view.starts(with: "POST ".utf8) else { return nil }
        let end = Array("\r\n\r\n".utf8)
        var at = view.startIndex
        while let next = view[at...].firstIndex(of: end[0]) {
            guard view[next...].starts(with: end) else {
                at = view.index(after: next)
                continue
            }
            let head = view[..<(next + end.count)]
            let text = String(decoding: head, as: UTF8.self).lowercased()
            return text.contains("\r\nupgrade: \(Wire.stream)") ? ByteBuffer(bytes: head) : nil
        }
        return nil
    }
}

extension RawStream {
    /// From now on the socket is the caller's; HTTP gets nothing more of it.
    fileprivate func begin() { mode = .raw }

    fileprivate func next(_ loop: any EventLoop) -> EventLoopFuture<ByteBuffer?> {
        if let bytes = waiting.popFirst() {
            waitingBytes -= bytes.readableBytes
            if mustRead, waitingBytes < Self.ahead {
                mustRead = false
                context?.read()
            }
            return loop.makeSucceededFuture(bytes)
        }
        guard !inputIsOver, !readerHasLeft, context != nil else { return loop.makeSucceededFuture(nil) }
        let promise = loop.makePromise(of: ByteBuffer?.self)
        reader = promise
        return promise.futureResult
    }

    /// Ends a wait for input, whose task is cancelled.
    fileprivate func leave() {
        readerHasLeft = true
        reader?.succeed(nil)
        reader = nil
    }

    fileprivate func send(_ bytes: ByteBuffer, _ loop: any EventLoop) -> EventLoopFuture<Void> {
        guard let context else { return loop.makeFailedFuture(ChannelError.ioOnClosedChannel) }
        let promise = loop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(.byteBuffer(bytes)), promise: promise)
        return promise.futureResult
    }
}

/// The stream as a handler of requests sees it, from any task.
struct ClientStream: Sendable {
    private let handler: NIOLoopBound<RawStream>
    private let channel: any Channel

    private var loop: any EventLoop { channel.eventLoop }

    /// Finds it in the channel's pipeline; on the channel's event loop.
    init(_ handler: RawStream, _ channel: any Channel) {
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        self.channel = channel
    }

    /// Takes the socket over.
    func begin() async throws { try await loop.submit { handler.value.begin() }.get() }

    /// What the client sent; `nil` at the end of it. When the task is cancelled, what has come is still
    /// given, and then the end. One task reads.
    func read() async throws -> ByteBuffer? {
        try await withTaskCancellationHandler {
            try await loop.flatSubmit { handler.value.next(loop) }.get()
        } onCancel: {
            loop.execute { handler.value.leave() }
        }
    }

    /// Sends, and waits until the socket took all of it. Where the task is cancelled meanwhile, the
    /// connection is cut: part of it may be on its way.
    func write(_ bytes: ByteBuffer) async throws {
        try await withTaskCancellationHandler {
            try Task.checkCancellation()
            try await loop.flatSubmit { handler.value.send(bytes, loop) }.get()
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    /// Ends it in both directions.
    func close() { channel.close(promise: nil) }
}
