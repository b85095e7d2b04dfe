-- One row: which records the store keeps.
CREATE TABLE puppylog.retention (
    keep_s INTEGER,               -- older records are dropped; null: for ever
    max_bytes BIGINT,             -- the oldest records are dropped before the store becomes larger; null: no limit
    archive VARCHAR               -- the directory where records are written before they are dropped; null: nowhere
);
INSERT INTO puppylog.retention VALUES (NULL, NULL, NULL);

-- For how long the records of a group's streams are kept. The group may not exist yet.
CREATE TABLE puppylog.retention_groups (
    group_name VARCHAR NOT NULL,
    keep_s INTEGER NOT NULL
);

-- One row: what has been dropped so far.
CREATE TABLE puppylog.dropped (
    before TIMESTAMPTZ,           -- records before this may be gone: a bucket that starts before is never computed again
    records BIGINT NOT NULL,
    rejected_lines BIGINT NOT NULL,
    dropped_at TIMESTAMPTZ,       -- the last drop
    error VARCHAR                 -- why records that are to be dropped could not be archived, or null
);
INSERT INTO puppylog.dropped VALUES (NULL, 0, 0, NULL, NULL);

-- The archive's files. A file is complete once its row has an instant in archived_at, which the transaction writes that
-- deletes the file's rows. Other rows are of files that were being written.
CREATE TABLE puppylog.archived_files (
    id INTEGER NOT NULL,
    kind VARCHAR NOT NULL,        -- log_records or rejected_lines
    root VARCHAR NOT NULL,        -- the archive's directory when the file was written
    path VARCHAR NOT NULL,        -- below the root
    row_count BIGINT,
    size_bytes BIGINT,
    first_at TIMESTAMPTZ,         -- of the rows: ts of records, rejected_at of rejected lines
    last_at TIMESTAMPTZ,
    archived_at TIMESTAMPTZ
);
