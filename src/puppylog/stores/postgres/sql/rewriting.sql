-- Replacing the rows of a file, and deleting a stream. The rows that go are chosen by a condition in braces, which names
-- the stream, so that Citus finds them on one node.

-- name: of_file
stream_id = {stream_id} AND file_id = {file_id}

-- name: of_stream
stream_id = {stream_id}

-- name: allow_deletions
-- Lets this transaction delete any number of rows of compressed chunks. TimescaleDB must log the times of these rows, which
-- it does not if it deletes whole batches.
SELECT set_config(name, CASE vartype WHEN 'bool' THEN 'off' ELSE '0' END, true)
FROM pg_settings
WHERE name IN ('timescaledb.max_tuples_decompressed_per_dml_transaction',
               'timescaledb.enable_compressed_direct_batch_delete')

-- name: lock_position
SELECT byte_offset FROM puppylog.log_files WHERE stream_id = $stream_id AND id = $file_id FOR UPDATE

-- name: first_record
SELECT min(line_offset) AS first_offset FROM puppylog.log_records WHERE {condition}

-- name: first_reject
SELECT min(line_offset) AS first_offset FROM puppylog.rejected_lines WHERE {condition}

-- name: set_context
UPDATE puppylog.log_files SET context = $context WHERE stream_id = $stream_id AND id = $file_id

-- name: invalidate_removed
-- Invalidations for the records that go, one for each hour.
INSERT INTO puppylog.invalidations (stream_id, low, high)
SELECT stream_id, min(ts), max(ts)
FROM puppylog.log_records
WHERE {condition}
GROUP BY stream_id, date_trunc('hour', ts)

-- name: delete_records
DELETE FROM puppylog.log_records WHERE {condition}

-- name: within_day
-- The rows of one day: their deletion touches no other partition.
{condition} AND ts >= TIMESTAMPTZ '{day} 00:00:00+00' AND ts < TIMESTAMPTZ '{day} 00:00:00+00' + INTERVAL '1 day'

-- name: delete_rejects
DELETE FROM puppylog.rejected_lines WHERE {condition}

-- name: delete_files
DELETE FROM puppylog.log_files WHERE stream_id = $stream_id

-- name: delete_report
DELETE FROM puppylog.stream_reports WHERE stream_id = $stream_id

-- name: delete_stream
DELETE FROM puppylog.log_streams WHERE id = $stream_id

-- name: days_of
-- The days of the records that go.
SELECT DISTINCT CAST(date_trunc('day', ts) AS date) AS day FROM puppylog.log_records WHERE {condition}

-- name: columnar_days
-- The columnar partitions of some days.
SELECT c.relname AS name
FROM unnest($days::date[]) AS day
JOIN pg_class AS c ON c.oid = to_regclass('puppylog.' || puppylog.partition_of(day))
JOIN pg_am AS am ON am.oid = c.relam
WHERE am.amname = 'columnar'

-- name: make_changeable
-- Makes a columnar partition an ordinary table; the jobs make it columnar again. Lines that are stored meanwhile would be
-- lost, so the parent is locked.
LOCK TABLE ONLY puppylog.log_records IN SHARE ROW EXCLUSIVE MODE;
SELECT alter_table_set_access_method('puppylog.{name}'::regclass, 'heap')
