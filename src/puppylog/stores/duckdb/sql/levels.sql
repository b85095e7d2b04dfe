-- Levels: the coarser roll-ups of a metric, its sketch rows, and the views of both.

-- name: create_buckets
-- The metric's own buckets with the hidden columns, those above the watermark included.
CREATE VIEW puppylog.buckets_{id} AS
SELECT bucket, segment, {columns} FROM puppylog.rollup_{id}
UNION ALL
{live}

-- name: create_sketch
CREATE TABLE puppylog.{relation} (bucket TIMESTAMPTZ NOT NULL, segment VARCHAR, bin INTEGER NOT NULL, n BIGINT NOT NULL)

-- name: create_sketches
-- The sketch rows of the metric's own buckets, those above the watermark included.
CREATE VIEW puppylog.sketches_{id} AS
SELECT bucket, segment, bin, n FROM puppylog.sketch_{id}
UNION ALL
{live}

-- name: create_level
CREATE TABLE puppylog.level_{id}_{step_s} (bucket TIMESTAMPTZ NOT NULL, segment VARCHAR, value DOUBLE{typed}, buckets BIGINT)

-- name: create_level_view
-- Level buckets that are not materialized yet are computed from the metric's own buckets.
CREATE VIEW {schema}.{name} AS
SELECT bucket, segment, value{parts} FROM puppylog.level_{id}_{step_s}
UNION ALL
SELECT bucket, segment, value{parts} FROM ({live}) AS live

-- name: above_level
bucket >= (SELECT watermark FROM puppylog.metric_levels WHERE metric_id = {id} AND step_s = {step_s})

-- name: drop_level_view
DROP VIEW {schema}.{name}

-- name: drop_view
DROP VIEW puppylog.{relation}

-- name: drop_table
DROP TABLE puppylog.{relation}

-- name: clear_range
DELETE FROM puppylog.{relation} WHERE {where}

-- name: fill
INSERT INTO puppylog.{relation} {query}

-- name: in_range
bucket >= make_timestamptz({since_us}) AND bucket < make_timestamptz({until_us})

-- name: touched_hours
-- The hours that have late buckets, in microseconds since the epoch.
SELECT DISTINCT epoch_us(bucket) // 3600000000 * 3600000000 AS since_us FROM late_buckets

-- name: list_old
-- Metrics of earlier versions, which have no levels yet.
SELECT id FROM puppylog.metrics WHERE has_levels IS NULL AND statistic <> 'derived'

-- name: add_column
ALTER TABLE puppylog.rollup_{id} ADD COLUMN {column}

-- name: note_levels
UPDATE puppylog.metrics SET has_levels = true WHERE id = $id
