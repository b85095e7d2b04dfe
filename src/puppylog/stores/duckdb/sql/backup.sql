-- A copy of the whole store, made while it is used.

-- name: copy_database
-- Copies all schemas, tables, views and sequences. `copied` is the new database.
COPY FROM DATABASE {database} TO copied

-- name: forget_unfinished
-- The store itself completes, or removes, the archive's files that it is writing now. Its copy must not remove them.
DELETE FROM copied.puppylog.archived_files WHERE archived_at IS NULL

-- name: database_name
SELECT current_database() AS name

-- name: count_lines
-- How much the snapshot holds, and its last commit.
SELECT (SELECT count(*) FROM puppylog.log_records) AS records,
       (SELECT count(*) FROM puppylog.rejected_lines) AS rejected_lines,
       (SELECT number FROM puppylog.commits) AS last_commit
