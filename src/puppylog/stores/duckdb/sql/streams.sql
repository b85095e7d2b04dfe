-- Streams and their files.

-- name: insert_streams
-- Creates the streams that a client asks for and that do not exist.
INSERT INTO puppylog.log_streams (id, source_uri, created_at)
SELECT nextval('puppylog.ids'), source_uri, now()
FROM (SELECT DISTINCT source_uri FROM asked) AS wanted
WHERE source_uri NOT IN (SELECT source_uri FROM puppylog.log_streams)

-- name: move_streams
UPDATE puppylog.log_streams
SET group_id = $group_id
WHERE source_uri IN (SELECT source_uri FROM asked) AND group_id IS DISTINCT FROM $group_id

-- name: set_labels
UPDATE puppylog.log_streams AS streams
SET labels = new_labels.labels::JSON
FROM new_labels
WHERE streams.id = new_labels.stream_id AND streams.labels::VARCHAR <> new_labels.labels

-- name: ids_of_streams
SELECT id, source_uri FROM puppylog.log_streams WHERE source_uri IN (SELECT source_uri FROM asked)

-- name: find_known_files
-- The files of one host that have one of the identities, or that begin with one of the heads.
SELECT streams.source_uri, files.stream_id, files.id AS file_id, files.path, files.device, files.inode, files.head_size,
       files.head_hash, files.marker_size, files.marker_hash, files.byte_offset, files.finished, files.context
FROM puppylog.log_files AS files
JOIN puppylog.log_streams AS streams ON streams.id = files.stream_id
WHERE starts_with(streams.source_uri, $source_prefix) AND files.id IN (
    SELECT id FROM puppylog.log_files JOIN asked_identities USING (device, inode)
    UNION ALL
    SELECT id FROM puppylog.log_files JOIN asked_heads USING (head_size, head_hash)
)
ORDER BY files.id

-- name: insert_files
INSERT INTO puppylog.log_files (id, stream_id, path, device, inode, head_size, head_hash, marker_size, marker_hash,
                                byte_offset, finished, opened_at, moved_at)
SELECT id, stream_id, path, device, inode, $head_size, $head_hash, $marker_size, $marker_hash, byte_offset, false,
       now(), now()
FROM new_files

-- name: report_streams
-- Stores reports, which replace earlier reports about the same streams. A collector that has read no line does not know
-- the format; then the format that an earlier collector has reported stays.
MERGE INTO puppylog.stream_reports AS known
USING (
    SELECT stream_id, now() AS reported_at, now() - to_seconds(stored_ago_s) AS stored_at,
           now() - to_seconds(behind_s) AS behind_since, backlog_bytes, lines_per_s, records, rejects,
           CASE WHEN format = '' THEN coalesce(before.known_format, '') ELSE format END AS format,
           problem, ended, waiting_lines, finished
    FROM reports
    LEFT JOIN (SELECT stream_id, format AS known_format FROM puppylog.stream_reports) AS before USING (stream_id)
) AS latest
ON known.stream_id = latest.stream_id
WHEN MATCHED THEN UPDATE
WHEN NOT MATCHED THEN INSERT

-- name: next_ids
SELECT nextval('puppylog.ids') AS id FROM range($count)
