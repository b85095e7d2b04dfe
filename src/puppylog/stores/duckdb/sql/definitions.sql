-- What the embedded store makes of the rows of groups, metrics and alerts.

-- name: metric_columns
-- How far a metric is materialized. Instants in microseconds since the epoch.
, metrics.refreshed_seq, epoch_us(metrics.watermark) AS watermark_us, epoch_us(metrics.refreshed_at) AS refreshed_us

-- name: alert_columns
-- What an evaluation needs of the alert's metric, and how far the alert is evaluated, in microseconds since the epoch.
, metrics.statistic AS metric_statistic, metrics.period_s AS metric_period_s,
epoch_us(alerts.evaluated_at) AS evaluated_us, alerts.error

-- name: insert_group
-- Gives a row if the group is new.
INSERT INTO puppylog.log_groups (id, name)
SELECT nextval('puppylog.ids'), $name WHERE NOT EXISTS (FROM puppylog.log_groups WHERE name = $name)
RETURNING id

-- name: release_streams
-- The streams of a group that is about to be deleted.
UPDATE puppylog.log_streams SET group_id = NULL WHERE group_id = $id

-- name: try_metric
-- Whether the store can compute it at all.
SELECT * FROM ({aggregate}) AS tried LIMIT 0

-- name: insert_metric
-- A metric whose every bucket is still read live.
INSERT INTO puppylog.metrics (id, name, statistic, property, period_s, segment, filter, refresh_s, group_id, created_at,
                              watermark, refreshed_seq)
SELECT $id, $name, $statistic, $property, $period_s, $segment, $filter, $refresh_s, $group_id, now(),
       make_timestamptz($watermark_us), (SELECT coalesce(max(seq), 0) FROM puppylog.invalidations)

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

-- name: drop_view
DROP VIEW metrics.{name}

-- name: drop_rollup
DROP TABLE puppylog.rollup_{id}
