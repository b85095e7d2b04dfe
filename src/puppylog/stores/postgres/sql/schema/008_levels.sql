-- The levels of a metric: its roll-ups at 1 minute, 1 hour and 1 day, each made from the next finer one. The buckets of a
-- level are in puppylog.level_ID_SECONDS, and its views in these schemas.
CREATE SCHEMA metrics_1m;
CREATE SCHEMA metrics_1h;
CREATE SCHEMA metrics_1d;

-- One row per level. Its buckets below the watermark are stored; those above it are computed when they are read.
CREATE TABLE puppylog.levels (
    metric_id integer NOT NULL REFERENCES puppylog.metrics ON DELETE CASCADE,
    step_s integer NOT NULL,
    watermark timestamptz NOT NULL DEFAULT '-infinity',
    source text NOT NULL,      -- the relation of the finer buckets
    query text NOT NULL,       -- the level's buckets in [$1, $2), from the source
    sketches text,             -- its sketch rows in [$1, $2), if it has any; of the finest level from the records of streams $3
    is_finest boolean NOT NULL,
    steps text NOT NULL,       -- the observations in [$1, $2) in steps of $3 seconds; from $4 on, the watermarks of the levels
    PRIMARY KEY (metric_id, step_s)
);

-- The observations in [$1, $2) in steps of $3 seconds, from the metric's own buckets. Null: the metric is derived.
ALTER TABLE puppylog.metrics ADD COLUMN steps text;

-- The roll-ups of each metric, its own included: the seconds in a bucket, and up to where it is materialized.
CREATE VIEW puppylog.metric_levels AS
SELECT metric_id, step_s, watermark FROM puppylog.levels
UNION ALL
SELECT id, period_s, watermark FROM puppylog.metrics WHERE steps IS NOT NULL;
