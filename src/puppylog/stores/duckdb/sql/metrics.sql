-- Metrics: their rows, and the rollup table and the view that are made from a row.

-- name: list_metrics
-- The definitions and how far each one is, in the order of their names. Instants in microseconds since the epoch.
SELECT metrics.id, metrics.name, metrics.statistic, metrics.property, metrics.period_s, metrics.segment, metrics.filter,
       metrics.refresh_s, metrics.group_id, groups.name AS group_name, metrics.refreshed_seq,
       epoch_us(metrics.watermark) AS watermark_us, epoch_us(metrics.refreshed_at) AS refreshed_us
FROM puppylog.metrics AS metrics
LEFT JOIN puppylog.log_groups AS groups ON groups.id = metrics.group_id
ORDER BY metrics.name

-- name: insert_metric
-- A metric whose every bucket is still read live.
INSERT INTO puppylog.metrics (id, name, statistic, property, period_s, segment, filter, refresh_s, group_id, created_at,
                              watermark, refreshed_seq)
SELECT $id, $name, $statistic, $property, $period_s, $segment, $filter, $refresh_s, $group_id, now(),
       make_timestamptz($watermark_us), (SELECT coalesce(max(seq), 0) FROM puppylog.invalidations)

-- name: delete_metric
DELETE FROM puppylog.metrics WHERE id = $id

-- name: alerts_of_metric
SELECT name FROM puppylog.alerts WHERE metric_id = $id ORDER BY name

-- name: create_rollup
CREATE TABLE puppylog.rollup_{id} (bucket TIMESTAMPTZ NOT NULL, segment VARCHAR, value DOUBLE)

-- name: create_view
-- Real-time reading: the rollup holds the buckets below the watermark, the live part those above.
CREATE VIEW metrics.{name} AS
SELECT bucket, segment, value FROM puppylog.rollup_{id}
UNION ALL
{live}

-- name: live_range
-- What the live part of a view is limited to.
ts >= (SELECT watermark FROM puppylog.metrics WHERE id = {id})

-- name: drop_rollup
DROP TABLE puppylog.rollup_{id}

-- name: drop_view
DROP VIEW metrics.{name}

-- name: clear_range
DELETE FROM puppylog.rollup_{id} WHERE bucket >= make_timestamptz($since_us) AND bucket < make_timestamptz($until_us)

-- name: fill_range
INSERT INTO puppylog.rollup_{id} {aggregate}

-- name: materialized_range
-- What a refresh reads: constants, so that row groups outside are not touched.
ts >= make_timestamptz({since_us}) AND ts < make_timestamptz({until_us})

-- name: note_refresh
UPDATE puppylog.metrics
SET watermark = make_timestamptz($watermark_us), refreshed_seq = $seq, refreshed_at = make_timestamptz($now_us), error = NULL
WHERE id = $id

-- name: note_refresh_error
UPDATE puppylog.metrics SET error = $error WHERE id = $id

-- name: has_live_records
-- Whether any record is not below the metric's watermark: a later refresh has to take it in.
SELECT count(*) > 0 AS has_live
FROM (SELECT 1 FROM puppylog.log_records
      WHERE ts >= (SELECT watermark FROM puppylog.metrics WHERE id = $id) LIMIT 1) AS live

-- name: last_invalidation
SELECT coalesce(max(seq), 0) AS seq FROM puppylog.invalidations

-- name: invalidations_after
-- The time ranges that have been touched since, oldest first.
SELECT epoch_us(low) AS low_us, epoch_us(high) AS high_us
FROM puppylog.invalidations
WHERE seq > $seq
ORDER BY low

-- name: forget_invalidations
-- Those that every metric has worked off.
DELETE FROM puppylog.invalidations
WHERE seq <= (SELECT coalesce(min(refreshed_seq), 9223372036854775807) FROM puppylog.metrics)

-- name: rows_per_day
-- Where the records lie in time: the slices of a materialization.
SELECT epoch_us(time_bucket(INTERVAL '1 day', ts)) AS day_us, count(*) AS records
FROM puppylog.log_records
GROUP BY 1
ORDER BY 1

-- name: try_metric
-- Whether the store can compute it at all.
SELECT * FROM ({aggregate}) AS tried LIMIT 0
