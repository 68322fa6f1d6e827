// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// Drops a client that reads nothing of what is sent to it. It costs one timer per connection and interval,
/// not one per write: progress is what was written less what the channel still holds.
final class StallHandler: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private let timeout: TimeAmount
    private var written = 0
    private var sentAtCheck = -1
    private var watching = false

    /// - Parameter timeout: how long no byte may leave while some wait.
    init(timeout: TimeAmount) { self.timeout = timeout }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        written &+= unwrapOutboundIn(data).readableBytes
        context.write(data, promise: promise)
        if !watching { watch(context) }
    }

    private func watch(_ context: ChannelHandlerContext) {
        watching = true
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
            let (handler, context) = bound.value
            handler.check(context)
        }
    }

    private func check(_ context: ChannelHandlerContext) {
        watching = false
        guard context.channel.isActive else { return }
        let waiting = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        guard waiting > 0 else {
            sentAtCheck = -1
            return
        }
        let sent = written &- waiting
        guard sent != sentAtCheck else { return context.close(promise: nil) }
        sentAtCheck = sent
        watch(context)
    }
}
