-- The ingest transaction: rows, rejects, positions and what they make stale, together or not at all.

-- name: move_position
-- Null if the file stood where the move starts; otherwise where it stands.
SELECT puppylog.move_position($stream_id, $file_id, $since, $until, $head_size, $head_hash, $marker_size, $marker_hash,
                              $finished, $context) AS stands

-- name: copy_records
COPY puppylog.log_records ({columns}) FROM STDIN (FORMAT binary)

-- name: copy_rejects
COPY puppylog.rejected_lines ({columns}) FROM STDIN (FORMAT binary)

-- name: invalidate
-- The times that this batch has touched, in microseconds since the epoch.
INSERT INTO puppylog.invalidations (stream_id, low, high)
SELECT stream_id, TIMESTAMPTZ 'epoch' + low_us * INTERVAL '1 microsecond',
       TIMESTAMPTZ 'epoch' + high_us * INTERVAL '1 microsecond'
FROM unnest($stream_ids::integer[], $low_us::bigint[], $high_us::bigint[]) AS touched (stream_id, low_us, high_us)

-- name: make_days
SELECT puppylog.make_days($days::date[])
