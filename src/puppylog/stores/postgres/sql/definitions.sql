-- What a PostgreSQL store makes of the rows of groups, metrics and alerts.

-- name: metric_columns
-- Whether a rollup or a continuous aggregate holds its buckets.
, metrics.kind

-- name: insert_group
-- Gives a row if the group is new; two clients may ask at the same time.
INSERT INTO puppylog.log_groups (id, name) VALUES (nextval('puppylog.ids'), $name) ON CONFLICT DO NOTHING RETURNING id

-- name: lock_definitions
-- Until the transaction ends, no other client changes definitions; reading them is not held up.
-- On Citus, what is made stays on the coordinator: the workers have no use for it. Elsewhere the setting has no effect.
SELECT pg_advisory_xact_lock(1885697639, 5), set_config('citus.enable_ddl_propagation', 'off', true)

-- name: insert_metric
-- A metric whose every bucket is still read live.
INSERT INTO puppylog.metrics (id, name, statistic, property, period_s, segment, filter, refresh_s, group_id, kind, query,
                              created_at)
VALUES ($id, $name, $statistic, $property, $period_s, $segment, $filter, $refresh_s, $group_id, $kind, $query, now())

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

-- name: drop_view
DROP VIEW metrics.{name}

-- name: drop_rollup
DROP TABLE puppylog.rollup_{id}

-- name: drop_continuous
DROP MATERIALIZED VIEW puppylog.continuous_{id}

-- name: try_metric
-- Whether the store can compute it at all.
SELECT * FROM ({aggregate}) AS tried LIMIT 0
