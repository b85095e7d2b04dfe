-- Refreshing: the rollup of a metric, its watermark, and the invalidations of late lines.

-- name: clear_range
DELETE FROM puppylog.rollup_{id} WHERE bucket >= make_timestamptz($since_us) AND bucket < make_timestamptz($until_us)

-- name: fill_range
INSERT INTO puppylog.rollup_{id} {aggregate}

-- name: materialized_range
-- The records that a refresh reads. The bounds are constants, so that DuckDB skips other row groups.
ts >= make_timestamptz({since_us}) AND ts < make_timestamptz({until_us})

-- name: note_refreshes
-- Records the refreshes in the table `refreshed`.
UPDATE puppylog.metrics
SET watermark = make_timestamptz(refreshed.watermark_us), refreshed_seq = refreshed.seq,
    refreshed_at = make_timestamptz($now_us), error = NULL
FROM refreshed
WHERE metrics.id = refreshed.metric_id

-- name: note_refresh_error
UPDATE puppylog.metrics SET error = $error WHERE id = $id

-- name: list_watermarks
SELECT id, epoch_us(watermark) AS watermark_us FROM puppylog.metrics

-- name: has_live_records
-- Whether any record is above a watermark, so that another refresh is needed. The watermark is a constant, so that DuckDB
-- skips row groups.
SELECT count(*) > 0 AS has_live
FROM (SELECT 1 FROM puppylog.log_records WHERE ts >= make_timestamptz({watermark_us}) LIMIT 1) AS live

-- name: last_invalidation
SELECT coalesce(max(seq), 0) AS seq FROM puppylog.invalidations

-- name: invalidations_after
-- The time ranges of the invalidations after $seq, the oldest first.
SELECT seq, epoch_us(low) AS low_us, epoch_us(high) AS high_us
FROM puppylog.invalidations
WHERE seq > $seq
ORDER BY low

-- name: has_handled_invalidations
-- Whether every metric's refreshes have handled any of the invalidations.
SELECT count(*) > 0 AS has_handled
FROM puppylog.invalidations
WHERE seq <= (SELECT coalesce(min(refreshed_seq), 9223372036854775807) FROM puppylog.metrics)

-- name: forget_invalidations
-- Deletes the invalidations that every metric's refreshes have handled.
DELETE FROM puppylog.invalidations
WHERE seq <= (SELECT coalesce(min(refreshed_seq), 9223372036854775807) FROM puppylog.metrics)

-- name: rows_per_day
-- The number of records per day, from which the slices of a materialization are made.
SELECT epoch_us(time_bucket(INTERVAL '1 day', ts)) AS day_us, count(*) AS records
FROM puppylog.log_records
GROUP BY 1
ORDER BY 1
