-- The ingest transaction: records, rejected lines, positions and invalidations, all of them or none.

-- name: positions_of
-- The positions of the files of these moves.
SELECT files.id, files.byte_offset, files.finished
FROM puppylog.log_files AS files
JOIN moves ON moves.file_id = files.id

-- name: append_records
-- The records of a batch, as a client has written them into the spool.
INSERT INTO puppylog.log_records BY NAME SELECT * FROM records

-- name: append_rejects
-- The rejected lines of a batch.
INSERT INTO puppylog.rejected_lines BY NAME SELECT *, now() AS rejected_at FROM rejects

-- name: move_positions
-- The new positions of the files.
UPDATE puppylog.log_files AS files
SET byte_offset = moves.until, head_size = moves.head_size, head_hash = moves.head_hash,
    marker_size = moves.marker_size, marker_hash = moves.marker_hash, finished = moves.finished, context = moves.context,
    moved_at = now()
FROM moves
WHERE files.id = moves.file_id

-- name: invalidate
-- Invalidations for the records below any metric's watermark, one for each hour: a late record of last week invalidates
-- only its own hour, not the whole week.
INSERT INTO puppylog.invalidations
SELECT nextval('puppylog.ids'), min(ts), max(ts)
FROM records
WHERE ts < (SELECT max(watermark) FROM puppylog.metrics)
GROUP BY time_bucket(INTERVAL '1 hour', ts)
