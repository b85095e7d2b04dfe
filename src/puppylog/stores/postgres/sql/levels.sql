-- The tables and views of the levels of a metric.

-- name: create_level
CREATE TABLE puppylog.level_{id}_{step_s} (
    bucket timestamptz NOT NULL, segment text, value double precision{typed}, buckets bigint NOT NULL
)

-- name: index_level
CREATE INDEX ON puppylog.level_{id}_{step_s} (bucket)

-- name: create_packed
-- The sketch rows of a level, those of each bucket and segment in one row: a tenth of the size.
CREATE TABLE puppylog.packed_{id}_{step_s} (
    bucket timestamptz NOT NULL, segment text, bins integer[] NOT NULL, counts bigint[] NOT NULL
)

-- name: index_packed
CREATE INDEX ON puppylog.packed_{id}_{step_s} (bucket)

-- name: pack
-- Sketch rows, packed.
SELECT bucket, segment, array_agg(bin) AS bins, array_agg(n) AS counts FROM ({rows}) AS sketches GROUP BY 1, 2

-- name: create_sketch
-- The stored sketch rows of a level.
CREATE VIEW puppylog.sketch_{id}_{step_s} AS
SELECT bucket, segment, unnest(bins) AS bin, unnest(counts) AS n FROM puppylog.packed_{id}_{step_s}

-- name: drop_sketch
DROP VIEW puppylog.sketch_{id}_{step_s}

-- name: step_in_postgres
date_bin(make_interval(secs => {step_s}), bucket, TIMESTAMPTZ '1970-01-01 00:00:00+00')

-- name: in_range
bucket >= $1 AND bucket < $2

-- name: records_in_range
ts >= $1 AND ts < $2

-- name: stored_range
bucket >= {since} AND bucket < least($2, {watermark})

-- name: range_since
bucket >= {since} AND bucket < $2

-- name: records_since
ts >= {since} AND ts < $2

-- name: above_watermark
bucket >= (SELECT watermark FROM puppylog.levels WHERE metric_id = {id} AND step_s = {step_s})

-- name: records_above_watermark
ts >= (SELECT watermark FROM puppylog.levels WHERE metric_id = {id} AND step_s = {step_s})

-- name: create_rollup_buckets
-- The metric's own buckets with their hidden columns.
CREATE VIEW puppylog.buckets_{id} AS
SELECT bucket, segment, {columns} FROM puppylog.rollup_{id}
UNION ALL
SELECT bucket, segment, {columns} FROM ({live}) AS live

-- name: create_continuous_buckets
-- Older continuous aggregates lack the hidden columns; these are null then.
CREATE VIEW puppylog.buckets_{id} AS SELECT bucket, segment, value{parts}{hidden} FROM puppylog.continuous_{id}

-- name: create_level_buckets
-- A level's buckets with their hidden columns. The live part computes the buckets above its watermark from finer ones.
CREATE VIEW puppylog.buckets_{id}_{step_s} AS
SELECT bucket, segment, {columns}, buckets FROM puppylog.level_{id}_{step_s}
UNION ALL
SELECT bucket, segment, {columns}, buckets FROM ({live}) AS live

-- name: create_level_sketches
CREATE OR REPLACE VIEW puppylog.sketches_{id}_{step_s} AS
SELECT bucket, segment, bin, n FROM puppylog.sketch_{id}_{step_s}
UNION ALL
SELECT bucket, segment, bin, n FROM ({live}) AS live

-- name: create_sketches
-- The sketch rows of the metric's own buckets, as far as no level has them.
CREATE OR REPLACE VIEW puppylog.sketches_{id} AS {rows}

-- name: drop_sketches
DROP VIEW IF EXISTS puppylog.sketches_{id}

-- name: create_level_view
CREATE VIEW {schema}.{name} AS SELECT bucket, segment, value{parts} FROM puppylog.buckets_{id}_{step_s}

-- name: insert_level
INSERT INTO puppylog.levels (metric_id, step_s, source, query, sketches, is_finest, steps)
VALUES ($metric_id, $step_s, $source, $query, $sketches, $is_finest, $steps)

-- name: set_steps
UPDATE puppylog.metrics SET steps = $steps WHERE id = $id

-- name: continuous_table
-- The table of the materialized buckets of a continuous aggregate.
SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name) AS name
FROM timescaledb_information.continuous_aggregates
WHERE view_schema = 'puppylog' AND view_name = $name

-- name: drop_level_view
DROP VIEW {schema}.{name}

-- name: drop_level_buckets
DROP VIEW puppylog.buckets_{id}_{step_s}

-- name: drop_level
DROP TABLE puppylog.level_{id}_{step_s}

-- name: drop_level_sketches
DROP VIEW puppylog.sketches_{id}_{step_s}

-- name: drop_packed
DROP TABLE puppylog.packed_{id}_{step_s}

-- name: drop_buckets
DROP VIEW puppylog.buckets_{id}

-- name: levels_of
-- The levels that a metric has, the coarsest first.
SELECT step_s, sketches IS NOT NULL AS has_sketches FROM puppylog.levels WHERE metric_id = $id ORDER BY step_s DESC

-- name: set_steps_of_level
UPDATE puppylog.levels SET steps = $steps WHERE metric_id = $id AND step_s = $step_s

-- name: has_buckets
SELECT to_regclass('puppylog.buckets_{id}') IS NOT NULL AS is_found

-- name: metrics_without_levels
-- The metrics that an older version has created.
SELECT name FROM puppylog.metrics WHERE kind <> 'derived' AND steps IS NULL

-- name: keep_on_coordinator
-- As in lock_definitions.
SELECT set_config('citus.enable_ddl_propagation', 'off', true)

-- name: add_hidden
-- Adds the hidden columns to a rollup that an older version has created, in the order of a new one. They are null in old
-- buckets, which weigh as one value each.
ALTER TABLE puppylog.rollup_{id}{added}, ADD COLUMN n_of_records bigint;
UPDATE puppylog.rollup_{id} SET n_of_records = n;
ALTER TABLE puppylog.rollup_{id} ALTER COLUMN n_of_records SET NOT NULL, DROP COLUMN n;
ALTER TABLE puppylog.rollup_{id} RENAME COLUMN n_of_records TO n

-- name: set_query
UPDATE puppylog.metrics SET query = $query WHERE id = $id
