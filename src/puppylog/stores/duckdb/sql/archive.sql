-- Dropping records, and the archive's files.

-- name: dropped
SELECT epoch_us(before) AS before_us, records, rejected_lines, epoch_us(dropped_at) AS dropped_us, error
FROM puppylog.dropped

-- name: count_rows
SELECT count(*) AS rows FROM puppylog.{table} WHERE {condition}

-- name: oldest
-- The instant of the oldest row, in microseconds since the epoch, or null.
SELECT epoch_us(min({instant})) AS oldest_us FROM puppylog.{table} WHERE {condition}

-- name: nth_oldest
-- The instant of the row of this number, counted from the oldest row.
SELECT epoch_us({instant}) AS nth_us
FROM (SELECT {instant} FROM puppylog.{table} WHERE {condition} ORDER BY {instant} LIMIT {rows}) AS oldest
ORDER BY {instant} DESC
LIMIT 1

-- name: before
{instant} < make_timestamptz({until_us})

-- name: since
{condition} AND {instant} >= make_timestamptz({since_us})

-- name: of_streams
{condition} AND stream_id IN ({ids})

-- name: streams
-- The streams with the names of their groups.
SELECT streams.id, groups.name AS group_name
FROM puppylog.log_streams AS streams
LEFT JOIN puppylog.log_groups AS groups ON groups.id = streams.group_id

-- name: delete_rows
DELETE FROM puppylog.{table} WHERE {condition}

-- name: delete_archived
-- Deletes the rows that an archive's file has, which are in the table `archived`. Lines that were stored meanwhile stay.
DELETE FROM puppylog.{table} AS stored
USING archived
WHERE stored.file_id = archived.file_id AND stored.line_offset = archived.line_offset AND {condition}

-- name: note_dropped
UPDATE puppylog.dropped
SET before = CASE WHEN $has_records THEN greatest(before, make_timestamptz($until_us)) ELSE before END,
    records = records + CASE WHEN $has_records THEN $rows ELSE 0 END,
    rejected_lines = rejected_lines + CASE WHEN $has_records THEN 0 ELSE $rows END,
    dropped_at = make_timestamptz($now_us), error = NULL

-- name: note_error
UPDATE puppylog.dropped SET error = $error WHERE error IS DISTINCT FROM $error

-- name: log_records_to_archive
-- Names as well as ids, because an archive is read without its store.
SELECT records.* EXCLUDE (attributes), CAST(attributes AS VARCHAR) AS attributes, source_uri, groups.name AS group_name,
       files.path AS file_path, (SELECT id FROM puppylog.store_ids) AS store_id
FROM (SELECT * FROM puppylog.log_records WHERE {condition}) AS records
LEFT JOIN puppylog.log_streams AS streams ON streams.id = records.stream_id
LEFT JOIN puppylog.log_groups AS groups ON groups.id = streams.group_id
LEFT JOIN puppylog.log_files AS files ON files.id = records.file_id

-- name: rejected_lines_to_archive
SELECT lines.*, source_uri, groups.name AS group_name, files.path AS file_path,
       (SELECT id FROM puppylog.store_ids) AS store_id
FROM (SELECT * FROM puppylog.rejected_lines WHERE {condition}) AS lines
LEFT JOIN puppylog.log_streams AS streams ON streams.id = lines.stream_id
LEFT JOIN puppylog.log_groups AS groups ON groups.id = streams.group_id
LEFT JOIN puppylog.log_files AS files ON files.id = lines.file_id

-- name: begin_file
-- `path` begins with the folder of this store in the archive.
INSERT INTO puppylog.archived_files (id, kind, root, path)
SELECT next.id, $kind, $root, format($path, store_id, next.id)
FROM (SELECT nextval('puppylog.ids') AS id) AS next, (SELECT id AS store_id FROM puppylog.store_ids) AS store
RETURNING id, path

-- name: finish_file
UPDATE puppylog.archived_files
SET row_count = $rows, size_bytes = $size_bytes, first_at = make_timestamptz($first_us),
    last_at = make_timestamptz($last_us), archived_at = make_timestamptz($now_us)
WHERE id = $id

-- name: forget_file
DELETE FROM puppylog.archived_files WHERE id = $id AND archived_at IS NULL

-- name: unfinished_files
SELECT id, root, path FROM puppylog.archived_files WHERE archived_at IS NULL ORDER BY id

-- name: finished_files
-- The archive's complete files of one kind, the oldest first.
SELECT root, path FROM puppylog.archived_files WHERE archived_at IS NOT NULL AND kind = $kind ORDER BY first_at, id

-- name: used_bytes
SELECT used_blocks * block_size AS used_bytes FROM pragma_database_size()
