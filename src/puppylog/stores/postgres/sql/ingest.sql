-- The ingest transaction: records, rejected lines, positions and invalidations, all of them or none.

-- name: move_position
-- Null if the position was the start of the move; otherwise the position.
SELECT puppylog.move_position($stream_id, $file_id, $since, $until, $head_size, $head_hash, $marker_size, $marker_hash,
                              $finished, $context) AS stands

-- name: add_requests
-- Null if the requests are new; otherwise the digest of one that the store has.
SELECT puppylog.add_requests($digests, $answers, $kept_s) AS repeated

-- name: find_requests
SELECT digest, answer, age_s FROM puppylog.find_requests($digests, $kept_s)

-- name: copy_records
COPY puppylog.log_records ({columns}) FROM STDIN (FORMAT binary)

-- name: copy_rejects
COPY puppylog.rejected_lines ({columns}) FROM STDIN (FORMAT binary)

-- name: invalidate
-- Invalidations for the times of this batch, which are in microseconds since the epoch.
INSERT INTO puppylog.invalidations (stream_id, low, high)
SELECT stream_id, TIMESTAMPTZ 'epoch' + low_us * INTERVAL '1 microsecond',
       TIMESTAMPTZ 'epoch' + high_us * INTERVAL '1 microsecond'
FROM unnest($stream_ids::integer[], $low_us::bigint[], $high_us::bigint[]) AS touched (stream_id, low_us, high_us)

-- name: make_days
SELECT puppylog.make_days($days::date[])
