-- Metrics: their rows, and what is made from a row: a rollup, which the row's query fills, or TimescaleDB's aggregate.

-- name: list_metrics
-- In the order of their names.
SELECT metrics.id, metrics.name, metrics.statistic, metrics.property, metrics.period_s, metrics.segment, metrics.filter,
       metrics.refresh_s, metrics.group_id, groups.name AS group_name, metrics.kind
FROM puppylog.metrics AS metrics
LEFT JOIN puppylog.log_groups AS groups ON groups.id = metrics.group_id
ORDER BY metrics.name

-- name: insert_metric
-- A metric whose every bucket is still read live.
INSERT INTO puppylog.metrics (id, name, statistic, property, period_s, segment, filter, refresh_s, group_id, kind, query,
                              created_at)
VALUES ($id, $name, $statistic, $property, $period_s, $segment, $filter, $refresh_s, $group_id, $kind, $query, now())

-- name: next_id
SELECT nextval('puppylog.ids') AS id

-- name: delete_metric
DELETE FROM puppylog.metrics WHERE id = $id

-- name: alerts_of_metric
SELECT name FROM puppylog.alerts WHERE metric_id = $id ORDER BY name

-- name: aggregate_range
ts >= $1 AND ts < $2

-- name: aggregate_group_range
ts >= $1 AND ts < $2 AND stream_id = ANY ($3)

-- name: create_rollup
CREATE TABLE puppylog.rollup_{id} (bucket timestamptz NOT NULL, segment text, value double precision, n bigint NOT NULL)

-- name: index_rollup
CREATE INDEX ON puppylog.rollup_{id} (bucket)

-- name: create_rollup_view
-- Real-time reading: the rollup holds the buckets below the watermark, the live part those above.
CREATE VIEW metrics.{name} AS
SELECT bucket, segment, value FROM puppylog.rollup_{id}
UNION ALL
{live}

-- name: live_range
ts >= (SELECT watermark FROM puppylog.metrics WHERE id = {id})

-- name: create_continuous
CREATE MATERIALIZED VIEW puppylog.continuous_{id}
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
{aggregate}
WITH NO DATA

-- name: create_continuous_view
CREATE VIEW metrics.{name} AS SELECT bucket, segment, value FROM puppylog.continuous_{id}

-- name: schedule_refresh
SELECT puppylog.schedule_refresh($id)

-- name: settled_window
-- A range as whole buckets, none of which is still being filled.
SELECT puppylog.floor_to($since::timestamptz, period_s) AS since,
       least(puppylog.ceil_to($until::timestamptz, period_s),
             puppylog.floor_to(clock_timestamp() - make_interval(secs => greatest(period_s, 2)), period_s)) AS until
FROM puppylog.metrics
WHERE id = $id

-- name: refresh_continuous
CALL puppylog.refresh_range($id, $since::timestamptz, $until::timestamptz)

-- name: note_refresh
-- How far it is refreshed, the job that checks it will say.
UPDATE puppylog.metrics SET refreshed_at = clock_timestamp() WHERE id = $id

-- name: refresh_rollup
SELECT puppylog.refresh_rollup($id, $until::timestamptz)

-- name: oldest_kept
-- Below it, records may have been dropped, and must not be aggregated again.
SELECT CAST(puppylog.oldest_kept() AS text) AS oldest

-- name: rows_per_day
-- Where the records lie in time: the slices of a materialization.
SELECT date_bin(INTERVAL '1 day', ts, TIMESTAMPTZ '2000-01-01 00:00:00+00') AS day, count(*) AS records
FROM puppylog.log_records
WHERE ts >= $oldest::timestamptz
GROUP BY 1
ORDER BY 1

-- name: drop_view
DROP VIEW metrics.{name}

-- name: drop_rollup
DROP TABLE puppylog.rollup_{id}

-- name: drop_continuous
DROP MATERIALIZED VIEW puppylog.continuous_{id}

-- name: try_metric
-- Whether the store can compute it at all.
SELECT * FROM ({aggregate}) AS tried LIMIT 0
