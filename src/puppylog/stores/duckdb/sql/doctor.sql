-- What the doctor asks.

-- name: metric_ages
-- How long ago each metric was refreshed, in the order of their names.
SELECT metrics.id, metrics.name, metrics.statistic, metrics.property, metrics.period_s, metrics.segment, metrics.filter,
       metrics.refresh_s, metrics.group_id, groups.name AS group_name, metrics.error,
       metrics.watermark::VARCHAR AS watermark, metrics.refreshed_at IS NOT NULL AS is_refreshed,
       extract(epoch FROM now() - coalesce(metrics.refreshed_at, metrics.created_at))::DOUBLE AS age_s,
       EXISTS (FROM puppylog.invalidations WHERE seq > metrics.refreshed_seq) AS is_touched
FROM puppylog.metrics AS metrics
LEFT JOIN puppylog.log_groups AS groups ON groups.id = metrics.group_id
ORDER BY metrics.name

-- name: newest_day
-- The newest day with records below an instant and below the metric's watermark, as whole buckets in microseconds.
SELECT epoch_us(max(ts)) // ($period_s * 1000000) * ($period_s * 1000000) + $period_s * 1000000 AS until_us
FROM puppylog.log_records
WHERE ts < least($before::TIMESTAMPTZ, (SELECT watermark FROM puppylog.metrics WHERE id = $id))

-- name: compare_day
-- What a rollup holds of a range of buckets, and what the records give.
SELECT held.buckets AS held_buckets, held.total AS held_total, there.buckets AS there_buckets, there.total AS there_total
FROM (
    SELECT count(*) AS buckets, coalesce(sum(value), 0) AS total FROM puppylog.rollup_{id}
    WHERE bucket >= make_timestamptz({since_us}) AND bucket < make_timestamptz({until_us})
) AS held, (SELECT count(*) AS buckets, coalesce(sum(value), 0) AS total FROM ({aggregate}) AS made) AS there

-- name: in_range
ts >= make_timestamptz({since_us}) AND ts < make_timestamptz({until_us})

-- name: is_being_checked
SELECT $id IN (SELECT metric_id FROM puppylog.metrics_being_checked) AS is_being_checked

-- name: is_behind
-- Whether there are records above a watermark that a refresh should have taken in by now.
SELECT count(*) > 0 AS is_behind
FROM (
    SELECT 1 FROM puppylog.log_records
    WHERE ts >= $watermark::TIMESTAMPTZ AND ts < now() - to_seconds($settled_s)
    LIMIT 1
) AS found
