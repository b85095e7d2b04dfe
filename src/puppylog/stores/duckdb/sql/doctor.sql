-- What an examination asks.

-- name: metric_ages
-- How long ago each metric was refreshed, in the order of their names.
SELECT name, error, period_s, refresh_s, watermark::VARCHAR AS watermark, refreshed_at IS NOT NULL AS is_refreshed,
       extract(epoch FROM now() - coalesce(refreshed_at, created_at))::DOUBLE AS age_s,
       EXISTS (FROM puppylog.invalidations WHERE seq > refreshed_seq) AS is_touched
FROM puppylog.metrics
ORDER BY name

-- name: is_behind
-- Whether there are records above a watermark that a refresh should have taken in by now.
SELECT count(*) > 0 AS is_behind
FROM (
    SELECT 1 FROM puppylog.log_records
    WHERE ts >= $watermark::TIMESTAMPTZ AND ts < now() - to_seconds($settled_s)
    LIMIT 1
) AS found
