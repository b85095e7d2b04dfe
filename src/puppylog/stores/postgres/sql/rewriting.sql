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

-- name: columnar_partitions
-- The columnar partitions of some days, on Citus.
SELECT 'puppylog.' || quote_ident(c.relname) AS name
FROM unnest($days::date[]) AS day
JOIN pg_class AS c ON c.oid = to_regclass('puppylog.' || puppylog.partition_of(day))
JOIN pg_am AS am ON am.oid = c.relam
WHERE am.amname = 'columnar'

-- name: make_heap
-- Makes a columnar partition an ordinary table; the jobs make it columnar again. Lines that are stored meanwhile would be
-- lost, so the parent is locked.
LOCK TABLE ONLY puppylog.log_records IN SHARE ROW EXCLUSIVE MODE;
SELECT alter_table_set_access_method('{name}'::regclass, 'heap')

-- name: compressed_chunks
-- The compressed chunks that have a stream's records of some days, on TimescaleDB with data nodes: those of these days
-- whose range of hash values has the stream's.
SELECT format('%I.%I', c.chunk_schema, c.chunk_name) AS name
FROM timescaledb_information.chunks AS c
JOIN _timescaledb_catalog.chunk AS entry ON entry.schema_name = c.chunk_schema AND entry.table_name = c.chunk_name
JOIN _timescaledb_catalog.chunk_constraint AS bound ON bound.chunk_id = entry.id
JOIN _timescaledb_catalog.dimension_slice AS slice ON slice.id = bound.dimension_slice_id
JOIN _timescaledb_catalog.dimension AS dimension ON dimension.id = slice.dimension_id
WHERE c.hypertable_schema = 'puppylog' AND c.hypertable_name = 'log_records' AND c.is_compressed
  AND EXISTS (SELECT FROM unnest($days::date[]) AS day WHERE c.range_start < day + INTERVAL '1 day' AND c.range_end > day)
  AND dimension.column_name = 'stream_id'
  AND _timescaledb_functions.get_partition_hash($stream_id::integer) >= slice.range_start
  AND _timescaledb_functions.get_partition_hash($stream_id::integer) < slice.range_end
ORDER BY 1

-- name: decompress
-- Decompresses a chunk on its data nodes; `compress_job` compresses it again, and locks as this does: queries wait on the
-- access node, and not on a data node, where they would miss the records. The lock comes first on the access node, because
-- no server notices a deadlock of two nodes.
LOCK TABLE ONLY puppylog.log_records IN ACCESS EXCLUSIVE MODE;
SELECT decompress_chunk('{name}', if_compressed => true)
