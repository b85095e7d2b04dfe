-- How many of a metric's own buckets are in a bucket of a level, in any segment. A row of the level has the number of those
-- of its segment, and several segments may have the same bucket.
CREATE TABLE puppylog.level_sizes (
    metric_id integer NOT NULL REFERENCES puppylog.metrics ON DELETE CASCADE,
    step_s integer NOT NULL,
    bucket timestamptz NOT NULL,
    buckets bigint NOT NULL,
    PRIMARY KEY (metric_id, step_s, bucket)
);

DO $$
DECLARE
    level puppylog.levels;
BEGIN
    FOR level IN SELECT l.* FROM puppylog.levels AS l ORDER BY l.metric_id, l.step_s LOOP
        EXECUTE 'INSERT INTO puppylog.level_sizes (metric_id, step_s, bucket, buckets) '
            'SELECT $1, $2, date_bin(make_interval(secs => $2), bucket, $4), ' || CASE
            WHEN level.is_finest
            THEN format('count(*) FROM (SELECT DISTINCT bucket FROM %s WHERE bucket < $3) AS own', level.source)
            ELSE 'sum(buckets) FROM puppylog.level_sizes WHERE metric_id = $1 AND bucket < $3 AND step_s = '
                 '(SELECT max(step_s) FROM puppylog.levels WHERE metric_id = $1 AND step_s < $2)' END || ' GROUP BY 3'
        USING level.metric_id, level.step_s, level.watermark, TIMESTAMPTZ '1970-01-01 00:00:00+00';
    END LOOP;
END
$$;

-- The roll-ups of each metric, its own included: the seconds in a bucket, and up to where it is materialized.
CREATE OR REPLACE VIEW puppylog.metric_levels AS
SELECT metric_id, step_s, watermark, true AS has_sizes FROM puppylog.levels
UNION ALL
SELECT id, period_s, watermark, true FROM puppylog.metrics WHERE steps IS NOT NULL;
