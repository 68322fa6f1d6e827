// SPDX-License-Identifier: Apache-2.0
import Crypto
import Foundation
import GRDB
import VctlAPI

/// Compares requests under one `Idempotency-Key` by a keyed hash, since a request can hold secrets.
struct IdempotencyHasher: Sendable {
    let key: SymmetricKey

    func hash(_ content: [UInt8]) -> String {
        HMAC<SHA256>.authenticationCode(for: content, using: key).map { String(format: "%02x", $0) }.joined()
    }
}

/// What an earlier request of the same key made.
enum EarlierRequest: Sendable {
    case operation(ObjectID)
    case object(ObjectID)
}

extension Transaction {
    /// What the same request made before; `nil` when its key is new.
    /// - Throws: ``Problem`` `idempotency.mismatch` when the key stands for another request.
    func earlier(_ idempotency: Idempotency?, uid: Int, _ hasher: IdempotencyHasher) throws -> EarlierRequest?
    {
        guard let idempotency else { return nil }
        let sql = "SELECT hash, operation, object FROM idempotency WHERE uid = ? AND key = ?"
        guard let row = try Row.fetchOne(db, sql: sql, arguments: [uid, idempotency.key]) else { return nil }
        guard row["hash"] as String == hasher.hash(idempotency.content) else {
            throw Problem(
                .idempotencyMismatch, "the Idempotency-Key was used for another request",
                hint: "send this request with a new key")
        }
        if let operation = (row["operation"] as String?).flatMap({ ObjectID($0) }) {
            return .operation(operation)
        }
        return (row["object"] as String?).flatMap { ObjectID($0) }.map { .object($0) }
    }

    func remember(
        _ idempotency: Idempotency?, uid: Int, _ hasher: IdempotencyHasher, operation: ObjectID? = nil,
        object: ObjectID? = nil
    ) throws {
        guard let idempotency else { return }
        try execute(
            """
            INSERT INTO idempotency(uid, key, hash, operation, object, created_at)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            [
                uid, idempotency.key, hasher.hash(idempotency.content), operation?.rawValue, object?.rawValue,
                Timestamp.now.milliseconds,
            ])
    }
}
