-- The ingest transaction: rows, rejects, positions and what they make stale, together or not at all.

-- name: positions_of
-- Where the files of these moves stand.
SELECT files.id, files.byte_offset, files.finished
FROM puppylog.log_files AS files
JOIN moves ON moves.file_id = files.id

-- name: append_records
-- A batch of records, as a client has handed it over.
INSERT INTO puppylog.log_records BY NAME SELECT * FROM records

-- name: append_rejects
-- The lines that did not fit.
INSERT INTO puppylog.rejected_lines BY NAME SELECT *, now() AS rejected_at FROM rejects

-- name: move_positions
-- The files' new positions.
UPDATE puppylog.log_files AS files
SET byte_offset = moves.until, head_size = moves.head_size, head_hash = moves.head_hash,
    marker_size = moves.marker_size, marker_hash = moves.marker_hash, finished = moves.finished, context = moves.context,
    moved_at = now()
FROM moves
WHERE files.id = moves.file_id

-- name: invalidate
-- The times below some metric's watermark that this batch has touched, as ranges within an hour each: one straggler
-- from last week dirties its own hour and not the week.
INSERT INTO puppylog.invalidations
SELECT nextval('puppylog.ids'), min(ts), max(ts)
FROM records
WHERE ts < (SELECT max(watermark) FROM puppylog.metrics)
GROUP BY time_bucket(INTERVAL '1 hour', ts)
