-- Groups, metrics and alerts: the queries that only the embedded store has.

-- name: metric_columns
-- The state of a metric's materialization. Instants are in microseconds since the epoch.
, metrics.refreshed_seq, epoch_us(metrics.watermark) AS watermark_us, epoch_us(metrics.refreshed_at) AS refreshed_us

-- name: alert_columns
-- Parts of the alert's metric, and the last evaluation. Instants are in microseconds since the epoch.
, metrics.id AS metric_id, metrics.statistic AS metric_statistic, metrics.period_s AS metric_period_s,
epoch_us(metrics.watermark) AS metric_watermark_us, epoch_us(alerts.evaluated_at) AS evaluated_us, alerts.error

-- name: insert_group
-- Returns a row if the group is new.
INSERT INTO puppylog.log_groups (id, name)
SELECT nextval('puppylog.ids'), $name WHERE NOT EXISTS (FROM puppylog.log_groups WHERE name = $name)
RETURNING id

-- name: release_streams
-- Removes the streams from a group that is about to be deleted.
UPDATE puppylog.log_streams SET group_id = NULL WHERE group_id = $id

-- name: try_metric
-- Fails if the store cannot compute the metric.
SELECT * FROM ({aggregate}) AS tried LIMIT 0

-- name: insert_metric
-- A new metric. All its buckets are computed when they are read, until the first refresh.
INSERT INTO puppylog.metrics (id, name, statistic, property, period_s, segment, filter, of, refresh_s, group_id, created_at,
                              watermark, refreshed_seq)
SELECT $id, $name, $statistic, $property, $period_s, $segment, $filter, $of, $refresh_s, $group_id, now(),
       make_timestamptz($watermark_us), (SELECT coalesce(max(seq), 0) FROM puppylog.invalidations)

-- name: insert_derived
-- A derived metric is never refreshed, so it waits for no invalidation.
INSERT INTO puppylog.metrics (id, name, statistic, property, period_s, segment, filter, of, refresh_s, group_id, created_at,
                              watermark, refreshed_seq)
SELECT $id, $name, $statistic, $property, $period_s, $segment, $filter, $of, $refresh_s, $group_id, now(),
       make_timestamptz($watermark_us), 9223372036854775807

-- name: create_rollup
CREATE TABLE puppylog.rollup_{id} (bucket TIMESTAMPTZ NOT NULL, segment VARCHAR, value DOUBLE{typed})

-- name: create_view
-- The rollup has the buckets below the watermark. The live part computes the buckets above it from the records.
CREATE VIEW metrics.{name} AS
SELECT bucket, segment, value{parts} FROM puppylog.rollup_{id}
UNION ALL
{live}

-- name: live_range
-- The condition of a view's live part.
ts >= (SELECT watermark FROM puppylog.metrics WHERE id = {id})

-- name: drop_rollup
DROP TABLE puppylog.rollup_{id}
