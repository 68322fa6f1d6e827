// SPDX-License-Identifier: Apache-2.0
import CHost
import Foundation
import Glibc
import HostNet
import Synchronization

/// A thread in a network namespace of its own: what it does to links, it does to nobody's.
enum OwnNetwork {
    static func run(_ body: @escaping @Sendable () throws -> Void) throws {
        let outcome = Mutex<Result<Void, any Error>?>(nil)
        let done = DispatchSemaphore(value: 0)
        let thread = Thread {
            outcome.withLock {
                $0 = Result {
                    guard chost_leave_network() == 0 else {
                        throw HostNetError(call: "leave the network", errno: errno, message: "refused")
                    }
                    try body()
                }
            }
            done.signal()
        }
        thread.start()
        done.wait()
        try outcome.withLock { $0 }?.get()
    }
}
