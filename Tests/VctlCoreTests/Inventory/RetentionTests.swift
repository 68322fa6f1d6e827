// SPDX-License-Identifier: Apache-2.0
import GRDB
import Testing
import VctlAPI

@testable import VctlCore

/// What is forgotten, and what is not.
struct RetentionTests {
    private let bench: Bench
    private let core: Core

    init() async throws {
        bench = try await Bench()
        core = try await bench.core()
    }

    private func refuse(_ uid: Int, times: Int) async throws {
        let caller = Caller(uid: uid, user: "u\(uid)", pid: 1, role: .viewer)
        for number in 0..<times {
            let context = RequestContext(caller: caller, action: "vm.delete")
            try await core.audit.refused(context, target: "vm\(number)", code: "permission.denied")
        }
    }

    private func count(_ sql: String) async throws -> Int {
        try await core.inventory.read { try Int.fetchOne($0, sql: sql) ?? 0 }
    }

    @Test func refusalsOfOneUserPushOutNothingElse() async throws {
        try await bench.make("web", on: core)
        let changes = try await count("SELECT count(*) FROM audit WHERE outcome = 'accepted'")
        #expect(changes > 0)
        try await refuse(1001, times: 2)
        try await refuse(1000, times: 9)
        try await Retention(inventory: core.inventory, operationDays: 30, events: 1000, refusals: 4)
            .run(now: .now)
        let kept = try await core.inventory.read { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT requestor ->> '$.uid' || ' ' || target FROM audit WHERE outcome = 'refused'
                    ORDER BY sequence
                    """)
        }
        #expect(kept == ["1001 vm0", "1001 vm1", "1000 vm5", "1000 vm6", "1000 vm7", "1000 vm8"])
        #expect(try await count("SELECT count(*) FROM audit WHERE outcome = 'accepted'") == changes)
        try core.inventory.close()
    }

    @Test func whatIsOldGoesAndWhatIsUnfinishedStays() async throws {
        try await bench.make("web", on: core)
        try await core.inventory.write {
            try $0.execute(
                "UPDATE operation SET status = 'stuck' WHERE number = (SELECT max(number) FROM operation)", []
            )
        }
        let retention = Retention(inventory: core.inventory, operationDays: 30, events: 2)
        let operations = try await count("SELECT count(*) FROM operation")
        #expect(operations > 1)
        try await retention.run(now: .now)
        #expect(try await count("SELECT count(*) FROM operation") == operations)
        let day: Int64 = 86_400_000
        try await retention.run(now: Timestamp(milliseconds: Timestamp.now.milliseconds + 31 * day))
        #expect(try await count("SELECT count(*) FROM operation") == 1)
        #expect(try await count("SELECT count(*) FROM audit") > 0)
        #expect(try await count("SELECT count(*) FROM event") <= 2)
        try await retention.run(now: Timestamp(milliseconds: Timestamp.now.milliseconds + 401 * day))
        #expect(try await count("SELECT count(*) FROM audit") == 0)
        try core.inventory.close()
    }
}
