// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

/// An image as stored: its document, and what the inventory knows beside it.
struct ImageRow: Sendable {
    let id: ObjectID
    let name: Name
    let state: ImageState
    /// The file that VMs read from, once there is one.
    let path: String?
    let revision: Int64
    /// The document without `usedBy` and `operation`, which change without the image.
    let document: Image
    /// What was announced of an upload.
    let announced: AnnouncedUpload?
    /// The operation that holds it.
    let operation: ObjectID?
    /// VMs whose disks read from it.
    let users: [String]

    /// The names of linked VMs come as one JSON array, so that a list is one statement.
    static let columns = """
        image.id, image.name, image.state, image.path, image.revision, image.document, image.announced,
        (SELECT operation FROM claim WHERE subject = image.id AND mode = 'exclusive' LIMIT 1) AS holder,
        (SELECT json_group_array(name) FROM
            (SELECT vm.name FROM vm WHERE vm.image = image.id AND vm.linked ORDER BY vm.name)) AS users
        """

    init(_ row: Row) throws {
        document = try JSON.value(Image.self, row["document"])
        id = document.id
        name = document.name
        state = document.state
        path = row["path"]
        revision = row["revision"]
        announced = try (row["announced"] as String?).map { try JSON.value(AnnouncedUpload.self, $0) }
        operation = (row["holder"] as String?).flatMap { ObjectID($0) }
        users = try JSON.value([String].self, row["users"])
    }

    /// The image as the API shows it.
    var value: Image {
        var image = document
        image.usedBy = users
        image.operation = operation
        return image
    }

    var etag: String { "\"\(revision)\"" }
    var reference: ObjectReference { document.reference }
}

extension Image {
    var reference: ObjectReference { ObjectReference(kind: .image, id: id, name: name.rawValue) }
}

/// What an upload must turn out to be; kept until its content is there.
struct AnnouncedUpload: Codable, Sendable {
    var sizeBytes: Int64?
    var checksum: Checksum?
    var sourceFormat: DiskFormat?
    var format: DiskFormat?
}

/// Reading images.
enum ImageStore {
    static func find(_ db: Database, _ reference: Reference) throws -> ImageRow? {
        let column = if case .id = reference { "id" } else { "name" }
        let sql = "SELECT \(ImageRow.columns) FROM image WHERE image.\(column) = ?"
        return try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [reference.description]).map(
            ImageRow.init)
    }

    /// The name of the image whose file that is.
    static func name(_ db: Database, path: String) throws -> String? {
        try String.fetchOne(db, sql: "SELECT name FROM image WHERE path = ?", arguments: [path])
    }

    /// - Throws: ``Problem`` `image.notFound`.
    static func get(_ db: Database, _ reference: Reference) throws -> ImageRow {
        guard let row = try find(db, reference) else {
            throw Problem(
                .imageNotFound, "there is no image \(shown(reference.description))",
                hint: try Comparison.hint(db, "image", reference))
        }
        return row
    }

    /// A page of images by name.
    static func page(_ db: Database, _ query: ListQuery) throws -> (rows: [ImageRow], next: String?) {
        let limit = query.limit ?? Int.max - 1
        let label = LabelFilter.condition(.image, query.labels)
        let sql = """
            SELECT \(ImageRow.columns) FROM image
            WHERE (? IS NULL OR image.name > ?) AND (? IS NULL OR image.state = ?) AND \(label.sql)
            ORDER BY image.name LIMIT ?
            """
        let arguments: StatementArguments =
            [query.after, query.after, query.state, query.state] + StatementArguments(label.arguments) + [
                limit + 1
            ]
        let rows = try Row.fetchAll(db.cachedStatement(sql: sql), arguments: arguments)
        let found = try rows.prefix(limit).map { try ImageRow($0) }
        return (found, rows.count > limit ? found.last?.name.rawValue : nil)
    }
}

extension Transaction {
    /// Adds an image. That its name is free is for the database to say.
    /// - Throws: ``Problem`` `image.exists`.
    func insert(
        _ image: Image, path: String? = nil, announced: AnnouncedUpload? = nil, operation: ObjectID? = nil
    ) throws {
        try namingImage(image.name) {
            try execute(
                """
                INSERT INTO image(id, name, state, path, revision, document, announced)
                VALUES (?, ?, ?, ?, 1, ?, ?)
                """,
                [
                    image.id.rawValue, image.name.rawValue, image.state.rawValue, path,
                    try ImageDocument.text(image), try announced.map { try JSON.text($0) },
                ])
        }
        try setLabels(.image, image.id, image.labels)
        try emit(
            "image.created", image.reference, operation: operation, data: ["state": image.state.rawValue])
    }

    /// Makes the stored image equal to `image`, with the event that tells of the difference. Nothing is
    /// written when there is none.
    func update(_ image: Image, path: String? = nil, operation: ObjectID? = nil) throws {
        let old = try ImageStore.get(db, .id(image.id))
        let differences = ImageDocument.differences(old.document, image)
        guard !differences.isEmpty || (path ?? old.path) != old.path else { return }
        try namingImage(image.name) {
            try execute(
                """
                UPDATE image SET name = ?, state = ?, path = coalesce(?, path), document = ?,
                    announced = CASE WHEN ? THEN announced END, revision = revision + 1 WHERE id = ?
                """,
                [
                    image.name.rawValue, image.state.rawValue, path, try ImageDocument.text(image),
                    image.state == .uploading, image.id.rawValue,
                ])
        }
        if old.document.labels != image.labels { try setLabels(.image, image.id, image.labels) }
        if old.document.name != image.name { try nameImage(image.id) }
        let type = old.state == image.state ? "image.changed" : "image.\(image.state.rawValue)"
        try emit(type, image.reference, operation: operation, data: differences)
    }

    /// Notes how much of an upload is safe on the disk. A counter: neither a revision nor an event.
    func received(_ bytes: Int64, of id: ObjectID) throws {
        try execute(
            """
            UPDATE image SET document = json_set(document, '$.receivedBytes', ?)
            WHERE id = ? AND state = 'uploading'
            """,
            [bytes, id.rawValue])
        guard db.changesCount == 1 else {
            throw Problem(
                .imageNotFound, "the image was deleted while its content was sent", hint: "vctl image list")
        }
    }

    /// Removes an image's row, where there is one.
    func removeImage(_ id: ObjectID, operation: ObjectID?) throws {
        guard let row = try ImageStore.find(db, .id(id)) else { return }
        try execute("DELETE FROM image WHERE id = ?", [id.rawValue])
        try setLabels(.image, id, [:])
        try execute("DELETE FROM warning WHERE subject = ?", [id.rawValue])
        try emit("image.deleted", row.reference, operation: operation)
    }

    private func namingImage(_ name: Name, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE {
            throw Problem(
                .imageExists, "there is an image \(name) already", hint: "vctl image show \(name)")
        }
    }
}

/// The stored form of an image, and what two of them differ in.
enum ImageDocument {
    static func text(_ image: Image) throws -> String {
        var stored = image
        stored.usedBy = []
        stored.operation = nil
        return try JSON.text(stored)
    }

    /// Field → new value, for the fields that people watch.
    static func differences(_ before: Image, _ after: Image) -> [String: String] {
        let fields: [(String, (Image) -> String?)] = [
            ("name", { $0.name.rawValue }), ("state", { $0.state.rawValue }),
            ("description", { $0.description }),
            ("format", { $0.format?.rawValue }),
            ("virtualSizeBytes", { $0.virtualSizeBytes.map { "\($0)" } }),
            ("sizeBytes", { $0.sizeBytes.map { "\($0)" } }), ("checksum", { $0.checksum }),
            (
                "labels",
                {
                    $0.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(
                        separator: ",")
                }
            ),
            ("protected", { "\($0.protected)" }),
        ]
        var result: [String: String] = [:]
        for (name, value) in fields where value(before) != value(after) { result[name] = value(after) ?? "" }
        return result
    }
}
