// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

/// Forgets what is old enough.
struct Retention: Sendable {
    let inventory: Inventory
    let operationDays: Int
    let events: Int
    /// So many refusals of each user stay in the audit: who asks in a loop pushes out no line about
    /// anybody else, or about a change.
    var refusals = 100_000

    func run(now: Timestamp) async throws {
        let day: Int64 = 86_400_000
        let oldest = now.milliseconds - Int64(operationDays) * day
        let (events, refusals) = (events, refusals)
        try await inventory.write { transaction in
            try transaction.execute(
                """
                DELETE FROM operation WHERE finished_at < ? AND status IN ('succeeded', 'failed', 'cancelled')
                """, [oldest])
            try transaction.execute("DELETE FROM idempotency WHERE created_at < ?", [oldest])
            try transaction.execute("DELETE FROM audit WHERE time < ?", [now.milliseconds - 400 * day])
            try transaction.execute(
                """
                DELETE FROM audit WHERE sequence IN (
                    SELECT sequence FROM (
                        SELECT sequence, row_number() OVER (
                            PARTITION BY requestor ->> '$.uid' ORDER BY sequence DESC) AS place
                        FROM audit WHERE outcome = 'refused')
                    WHERE place > ?)
                """, [refusals])
            try EventStore.trim(transaction, keep: events)
        }
    }
}
