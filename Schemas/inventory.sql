-- SPDX-License-Identifier: Apache-2.0
-- The inventory of vctld, as its migrations make it. Written by `make schemas`; do not edit.

CREATE TABLE audit(
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, requestor TEXT NOT NULL,
    action TEXT NOT NULL, target TEXT, outcome TEXT NOT NULL, code TEXT, operation TEXT);

CREATE TABLE bridge(
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL,
    document TEXT NOT NULL);

CREATE TABLE claim(
    subject TEXT NOT NULL, aspect TEXT NOT NULL, mode TEXT NOT NULL,
    operation TEXT NOT NULL REFERENCES operation(id) ON DELETE CASCADE,
    PRIMARY KEY(subject, aspect, operation)) WITHOUT ROWID;

CREATE TABLE crash(vm TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE event(
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, type TEXT NOT NULL, kind TEXT,
    subject TEXT, name TEXT, operation TEXT, origin TEXT NOT NULL, data TEXT);

CREATE TABLE forward(
    id TEXT PRIMARY KEY, network TEXT NOT NULL, vm TEXT NOT NULL, document TEXT NOT NULL)
    WITHOUT ROWID;

CREATE INDEX forward_network ON forward(network);

CREATE TABLE idempotency(
    uid INTEGER NOT NULL, key TEXT NOT NULL, hash TEXT NOT NULL, operation TEXT, object TEXT,
    created_at INTEGER NOT NULL, PRIMARY KEY(uid, key)) WITHOUT ROWID;

CREATE TABLE image(
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, state TEXT NOT NULL, path TEXT,
    revision INTEGER NOT NULL, document TEXT NOT NULL, announced TEXT);

CREATE TABLE label(
    kind TEXT NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY(kind, id, key)) WITHOUT ROWID;

CREATE INDEX label_value ON label(kind, key, value);

CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE network(
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, state TEXT NOT NULL, managed INTEGER NOT NULL,
    revision INTEGER NOT NULL, observed_at INTEGER NOT NULL, document TEXT NOT NULL);

CREATE TABLE operation(
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
    version INTEGER NOT NULL, status TEXT NOT NULL, parent TEXT, request TEXT NOT NULL,
    requestor TEXT NOT NULL, resources TEXT NOT NULL, created_at INTEGER NOT NULL, started_at INTEGER,
    finished_at INTEGER, cancel_requested INTEGER NOT NULL DEFAULT 0, failure TEXT, result TEXT,
    warnings TEXT NOT NULL DEFAULT '[]', revision INTEGER NOT NULL DEFAULT 1);

CREATE INDEX operation_status ON operation(status);

CREATE TABLE pool(
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, state TEXT NOT NULL, managed INTEGER NOT NULL,
    revision INTEGER NOT NULL, observed_at INTEGER NOT NULL, document TEXT NOT NULL, mark TEXT,
    folder TEXT);

CREATE TABLE profile(
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL,
    document TEXT NOT NULL);

CREATE TABLE securitygroup(
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL,
    document TEXT NOT NULL);

CREATE TABLE step(
    operation TEXT NOT NULL REFERENCES operation(id) ON DELETE CASCADE, position INTEGER NOT NULL,
    key TEXT NOT NULL, status TEXT NOT NULL, output TEXT, PRIMARY KEY(operation, key)) WITHOUT ROWID;

CREATE TABLE tap(
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL,
    document TEXT NOT NULL);

CREATE TABLE vm(
    id TEXT PRIMARY KEY, name TEXT NOT NULL, state TEXT NOT NULL, managed INTEGER NOT NULL,
    image TEXT, linked INTEGER NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL, observed_at INTEGER NOT NULL, document TEXT NOT NULL);

CREATE INDEX vm_image ON vm(image) WHERE image IS NOT NULL;

CREATE UNIQUE INDEX vm_name ON vm(name) WHERE state <> 'missing';

CREATE TABLE volume(
    pool TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL, path TEXT NOT NULL, backing TEXT,
    revision INTEGER NOT NULL, document TEXT NOT NULL, mark TEXT,
    PRIMARY KEY(pool, name)) WITHOUT ROWID;

CREATE INDEX volume_id ON volume(id);

CREATE INDEX volume_path ON volume(path);

CREATE TABLE warning(
    id TEXT PRIMARY KEY, code TEXT NOT NULL, subject TEXT NOT NULL, message TEXT NOT NULL, hint TEXT,
    subject_document TEXT, count INTEGER NOT NULL, first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL, acknowledged INTEGER NOT NULL DEFAULT 0, UNIQUE(code, subject));
