-- Materializing a new metric.

-- name: schedule_refresh
SELECT puppylog.schedule_refresh($id)

-- name: settled_window
-- A range as whole buckets, without the newest buckets, which may still change.
SELECT puppylog.floor_to($since::timestamptz, period_s) AS since,
       least(puppylog.ceil_to($until::timestamptz, period_s),
             puppylog.floor_to(clock_timestamp() - make_interval(secs => greatest(period_s, 2)), period_s)) AS until
FROM puppylog.metrics
WHERE id = $id

-- name: refresh_continuous
CALL puppylog.refresh_range($id, $since::timestamptz, $until::timestamptz)

-- name: note_refresh
-- Only the time of the refresh: the job that checks the metric moves its watermark.
UPDATE puppylog.metrics SET refreshed_at = clock_timestamp() WHERE id = $id

-- name: refresh_rollup
SELECT puppylog.refresh_rollup($id, $until::timestamptz)

-- name: oldest_kept
-- Records before this instant may have been dropped, so their buckets must not be computed again.
SELECT CAST(puppylog.oldest_kept() AS text) AS oldest

-- name: rows_per_day
-- The number of records per day, from which the slices of a materialization are made.
SELECT date_bin(INTERVAL '1 day', ts, TIMESTAMPTZ '2000-01-01 00:00:00+00') AS day, count(*) AS records
FROM puppylog.log_records
WHERE ts >= $oldest::timestamptz
GROUP BY 1
ORDER BY 1
