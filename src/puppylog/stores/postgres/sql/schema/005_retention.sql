-- One row: the largest size of the store. For how long records are kept is a column of the installation.
CREATE TABLE puppylog.retention (
    max_bytes bigint,          -- the oldest records are dropped when the records need more; null: no limit
    dropped_before timestamptz -- records before this were dropped for the size, or by an earlier setting
);
INSERT INTO puppylog.retention VALUES (NULL, NULL);

-- For how long the records of a group's streams are kept. The group may not exist yet.
CREATE TABLE puppylog.retention_groups (
    group_name text PRIMARY KEY,
    keep_s integer NOT NULL
);
