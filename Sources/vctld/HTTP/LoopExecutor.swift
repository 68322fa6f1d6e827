// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// Runs a connection's tasks on the event loop of its channel: a hop to another thread and back costs more
/// than most answers. What may block goes elsewhere (see ``Responder``).
final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
