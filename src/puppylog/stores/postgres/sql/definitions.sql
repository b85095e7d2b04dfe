-- Groups, metrics and alerts: the queries that only a PostgreSQL store has.

-- name: metric_columns
-- Whether the metric is a rollup or a continuous aggregate.
, metrics.kind

-- name: insert_group
-- Returns a row if the group is new. Two clients may insert it at the same time.
INSERT INTO puppylog.log_groups (id, name) VALUES (nextval('puppylog.ids'), $name) ON CONFLICT DO NOTHING RETURNING id

-- name: lock_definitions
-- Until the transaction ends, no other client can change definitions; reading them does not wait.
-- On Citus, new tables and views stay on the coordinator: the workers do not need them. Elsewhere the setting has no
-- effect.
SELECT pg_advisory_xact_lock(1885697639, 5), set_config('citus.enable_ddl_propagation', 'off', true)

-- name: insert_metric
-- A new metric. All its buckets are computed when they are read, until the first refresh.
INSERT INTO puppylog.metrics (id, name, statistic, property, period_s, segment, filter, of, refresh_s, group_id, kind,
                              query, samples, created_at)
VALUES ($id, $name, $statistic, $property, $period_s, $segment, $filter, $of, $refresh_s, $group_id, $kind, $query,
        $samples, now())

-- name: aggregate_range
ts >= $1 AND ts < $2

-- name: aggregate_group_range
ts >= $1 AND ts < $2 AND stream_id = ANY ($3)

-- name: samples
-- The newest records in [$1, $2) that a metric counts, at most $6: of the segment $5, or of all segments if $4. $3 are the
-- streams of the metric's group.
SELECT ts, stream_id, file_id, line_offset, host, ident, ruser, request_method, request_route, request_proto, status_code,
       response_bytes, referer, user_agent, severity, message, attributes
FROM puppylog.log_records
WHERE ts >= $1 AND ts < $2 AND ({condition}) AND ($4 OR ({segment}) IS NOT DISTINCT FROM $5){streams}
ORDER BY ts DESC, file_id DESC, line_offset DESC
LIMIT $6

-- name: of_streams
 AND stream_id = ANY ($3)

-- name: set_samples
UPDATE puppylog.metrics SET samples = $samples WHERE name = $name

-- name: metrics_without_samples
SELECT name FROM puppylog.metrics WHERE samples IS NULL

-- name: create_rollup
CREATE TABLE puppylog.rollup_{id} (
    bucket timestamptz NOT NULL, segment text, value double precision{typed_parts}, n bigint NOT NULL
)

-- name: index_rollup
CREATE INDEX ON puppylog.rollup_{id} (bucket)

-- name: create_rollup_view
-- The rollup has the buckets below the watermark. The live part computes the buckets above it from the records.
CREATE VIEW metrics.{name} AS
SELECT bucket, segment, value{parts} FROM puppylog.rollup_{id}
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
CREATE VIEW metrics.{name} AS SELECT bucket, segment, value{parts} FROM puppylog.continuous_{id}

-- name: drop_rollup
DROP TABLE puppylog.rollup_{id}

-- name: drop_continuous
DROP MATERIALIZED VIEW puppylog.continuous_{id}

-- name: try_metric
-- Fails if the store cannot compute the metric.
SELECT * FROM ({aggregate}) AS tried LIMIT 0

-- name: find_keep
-- For how many seconds records are kept: another client may have changed this. Null: for ever.
SELECT drop_after_s FROM puppylog.installation
