-- Replacing the rows of a file, and deleting a stream. The rows that go are chosen by a condition in braces.

-- name: of_file
stream_id = {stream_id} AND file_id = {file_id}

-- name: of_stream
stream_id = {stream_id}

-- name: find_stored
-- The position of a file, and the offset of the first row that is stored of it, or null.
SELECT byte_offset, (
    SELECT min(line_offset) FROM (
        SELECT line_offset FROM puppylog.log_records WHERE {condition}
        UNION ALL
        SELECT line_offset FROM puppylog.rejected_lines WHERE {condition}
    ) AS stored
) AS first_offset
FROM puppylog.log_files
WHERE id = $file_id

-- name: set_context
UPDATE puppylog.log_files SET context = $context WHERE id = $file_id

-- name: invalidate_removed
-- Invalidations for the records that go, one for each hour.
INSERT INTO puppylog.invalidations
SELECT nextval('puppylog.ids'), min(ts), max(ts)
FROM puppylog.log_records
WHERE {condition} AND ts < (SELECT max(watermark) FROM puppylog.metrics)
GROUP BY time_bucket(INTERVAL '1 hour', ts)

-- name: count_rows
SELECT (SELECT count(*) FROM puppylog.log_records WHERE {condition}) AS records,
       (SELECT count(*) FROM puppylog.rejected_lines WHERE {condition}) AS rejects

-- name: delete_records
DELETE FROM puppylog.log_records WHERE {condition}

-- name: delete_rejects
DELETE FROM puppylog.rejected_lines WHERE {condition}

-- name: count_files
SELECT count(*) AS files FROM puppylog.log_files WHERE stream_id = $stream_id

-- name: delete_stream
-- Deletes what is left of a stream whose rows are gone.
DELETE FROM puppylog.stream_reports WHERE stream_id = {stream_id};
DELETE FROM puppylog.log_files WHERE stream_id = {stream_id};
DELETE FROM puppylog.log_streams WHERE id = {stream_id}
