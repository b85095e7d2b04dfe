-- Levels of metrics: the buckets of 1 minute, 1 hour and 1 day. They are made from the next finer buckets, in the
-- transaction that changes these, and never from records, which may be dropped. Only sketch rows of the finest level come
-- from records. Sketch rows whose records may have been dropped stay as they are.

-- Replaces the buckets of a level in [since, until), which are whole buckets.
CREATE OR REPLACE FUNCTION puppylog.fill_level(metric integer, step integer, since timestamptz, until timestamptz)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, puppylog, pg_temp
SET standard_conforming_strings = on SET transform_null_equals = off SET jit = off AS $$
DECLARE
    level puppylog.levels;
    name text := format('%s_%s', metric, step);
    kept timestamptz := since;
    streams integer[];
BEGIN
    SELECT l.* INTO STRICT level FROM puppylog.levels AS l WHERE l.metric_id = metric AND l.step_s = step;
    IF level.sketches IS NOT NULL THEN
        IF level.is_finest THEN
            kept := greatest(since, puppylog.ceil_to(puppylog.oldest_kept(), level.step_s));
            streams := ARRAY(SELECT s.id FROM puppylog.log_streams AS s JOIN puppylog.metrics AS m ON m.group_id = s.group_id
                             WHERE m.id = level.metric_id);
        END IF;
        IF kept < until THEN
            EXECUTE format('DELETE FROM puppylog.packed_%s WHERE bucket >= $1 AND bucket < $2', name) USING kept, until;
            EXECUTE format('INSERT INTO puppylog.packed_%s ', name) || level.sketches USING kept, until, streams;
        END IF;
    END IF;
    EXECUTE format('DELETE FROM puppylog.level_%s WHERE bucket >= $1 AND bucket < $2', name) USING since, until;
    EXECUTE format('INSERT INTO puppylog.level_%s ', name) || level.query USING since, until;
    PERFORM puppylog.size_level(metric, step, since, until);
END
$$;

-- Counts the metric's own buckets in each bucket of a level in [since, until), whatever their segments.
CREATE OR REPLACE FUNCTION puppylog.size_level(metric integer, step integer, since timestamptz, until timestamptz)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, puppylog, pg_temp
SET jit = off AS $$
DECLARE
    level puppylog.levels;
BEGIN
    SELECT l.* INTO STRICT level FROM puppylog.levels AS l WHERE l.metric_id = metric AND l.step_s = step;
    DELETE FROM puppylog.level_sizes AS s
    WHERE s.metric_id = metric AND s.step_s = step AND s.bucket >= since AND s.bucket < until;
    IF level.is_finest THEN
        EXECUTE format('INSERT INTO puppylog.level_sizes (metric_id, step_s, bucket, buckets) '
                       'SELECT $1, $2, puppylog.floor_to(bucket, $2), count(*) FROM '
                       '(SELECT DISTINCT bucket FROM %s WHERE bucket >= $3 AND bucket < $4) AS own GROUP BY 3', level.source)
        USING metric, step, since, until;
    ELSE
        INSERT INTO puppylog.level_sizes (metric_id, step_s, bucket, buckets)
        SELECT metric, step, puppylog.floor_to(s.bucket, step), sum(s.buckets)
        FROM puppylog.level_sizes AS s
        WHERE s.metric_id = metric AND s.bucket >= since AND s.bucket < until
          AND s.step_s = (SELECT max(l.step_s) FROM puppylog.levels AS l WHERE l.metric_id = metric AND l.step_s < step)
        GROUP BY 3;
    END IF;
END
$$;

-- Replaces the buckets of all levels of a metric that overlap [since, until), after the metric's own were changed there.
CREATE OR REPLACE FUNCTION puppylog.rewrite_levels(metric integer, since timestamptz, until timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, puppylog, pg_temp AS $$
DECLARE
    level puppylog.levels;
    low timestamptz;
    high timestamptz;
BEGIN
    FOR level IN SELECT l.* FROM puppylog.levels AS l WHERE l.metric_id = metric ORDER BY l.step_s LOOP
        low := puppylog.floor_to(since, level.step_s);
        high := least(puppylog.ceil_to(until, level.step_s), level.watermark);
        IF low < high THEN
            PERFORM puppylog.fill_level(metric, level.step_s, low, high);
        END IF;
    END LOOP;
END
$$;

-- Fills the levels of a metric up to ``counted``, the end of its own final buckets: a day after another, for at most two
-- seconds per level. The next refresh goes on.
CREATE OR REPLACE FUNCTION puppylog.advance_levels(metric integer, counted timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, puppylog, pg_temp AS $$
DECLARE
    level puppylog.levels;
    before timestamptz;
    goal timestamptz := counted;
    since timestamptz;
    until timestamptz;
    started timestamptz;
BEGIN
    FOR level IN SELECT l.* FROM puppylog.levels AS l WHERE l.metric_id = metric ORDER BY l.step_s LOOP
        goal := puppylog.floor_to(goal, level.step_s);
        before := level.watermark;
        started := clock_timestamp();
        WHILE level.watermark < goal AND clock_timestamp() BETWEEN started AND started + INTERVAL '2 seconds' LOOP
            EXECUTE format('SELECT min(bucket) FROM %s WHERE bucket >= $1 AND bucket < $2', level.source)
            INTO since USING level.watermark, goal;
            IF since IS NULL THEN
                level.watermark := goal;
                EXIT;
            END IF;
            since := puppylog.floor_to(since, level.step_s);
            until := least(goal, puppylog.ceil_to(since + INTERVAL '1 day', level.step_s));
            PERFORM puppylog.fill_level(metric, level.step_s, since, until);
            level.watermark := until;
        END LOOP;
        goal := level.watermark;
        IF goal <> before THEN
            UPDATE puppylog.levels AS l SET watermark = goal WHERE l.metric_id = metric AND l.step_s = level.step_s;
        END IF;
    END LOOP;
END
$$;

-- Lowers the levels of a metric whose own watermark was lowered.
CREATE OR REPLACE FUNCTION puppylog.lower_levels(metric integer, counted timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, puppylog, pg_temp AS $$
DECLARE
    level puppylog.levels;
    goal timestamptz;
BEGIN
    FOR level IN SELECT l.* FROM puppylog.levels AS l WHERE l.metric_id = metric LOOP
        goal := puppylog.floor_to(counted, level.step_s);
        CONTINUE WHEN level.watermark <= goal;
        EXECUTE format('DELETE FROM puppylog.level_%s_%s WHERE bucket >= $1', metric, level.step_s) USING goal;
        IF level.sketches IS NOT NULL THEN
            EXECUTE format('DELETE FROM puppylog.packed_%s_%s WHERE bucket >= $1', metric, level.step_s) USING goal;
        END IF;
        DELETE FROM puppylog.level_sizes AS s WHERE s.metric_id = metric AND s.step_s = level.step_s AND s.bucket >= goal;
        UPDATE puppylog.levels AS l SET watermark = goal WHERE l.metric_id = metric AND l.step_s = level.step_s;
    END LOOP;
END
$$;

-- The observations of a metric in [since, until) in steps of about ``step_s`` seconds, for dashboards. They are read from
-- the coarsest level that is not longer than a step. A step is a multiple of the level, at least ``step_s`` seconds.
-- Steps of a percentile or a number of distinct values are merged from sketch rows, which costs more: of more than 1,500
-- buckets, the steps become as long as the next level's.
CREATE OR REPLACE FUNCTION puppylog.read_metric(name text, since timestamptz, until timestamptz, step_s double precision)
RETURNS TABLE (bucket timestamptz, segment text, value double precision)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, puppylog, pg_temp
SET jit = off SET max_parallel_workers_per_gather = 0 -- starting workers takes longer than reading a level
AS $$
DECLARE
    metric puppylog.metrics;
    level puppylog.levels;
    step integer := greatest(ceil(step_s), 1);
    watermarks timestamptz[]; -- of the levels, the finest first
BEGIN
    SELECT m.* INTO metric FROM puppylog.metrics AS m WHERE m.name = read_metric.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'cannot read metric "%": there is none of that name', read_metric.name
            USING HINT = 'create it with: puppylog apply -c deploy/grafana/metrics.toml';
    END IF;
    SELECT l.* INTO level FROM puppylog.levels AS l
    WHERE l.metric_id = metric.id AND l.step_s <= step ORDER BY l.step_s DESC LIMIT 1;
    IF step <> coalesce(level.step_s, metric.period_s)
       AND EXTRACT(epoch FROM until - since) / coalesce(level.step_s, metric.period_s) > 1500
       AND EXISTS (SELECT FROM puppylog.levels AS l WHERE l.metric_id = metric.id AND l.sketches IS NOT NULL) THEN
        SELECT l.* INTO level FROM puppylog.levels AS l
        WHERE l.metric_id = metric.id AND (l.step_s >= step OR l.step_s = 86400) ORDER BY l.step_s LIMIT 1;
    END IF;
    step := ceil(step::numeric / coalesce(level.step_s, metric.period_s)) * coalesce(level.step_s, metric.period_s);
    since := puppylog.floor_to(since, step);
    until := puppylog.ceil_to(until, coalesce(level.step_s, metric.period_s)); -- finer buckets as far as the level's would
    IF step = coalesce(level.step_s, metric.period_s) THEN -- a step is one bucket, whose value is known
        RETURN QUERY EXECUTE format('SELECT b.bucket, b.segment, b.value FROM puppylog.%s AS b '
                                    'WHERE b.bucket >= $1 AND b.bucket < least($2, $3)',
                                    concat_ws('_', CASE WHEN level.step_s IS NULL THEN 'buckets' ELSE 'level' END,
                                              metric.id, level.step_s))
        USING since, until, level.watermark;
        since := greatest(since, level.watermark);
        IF level.step_s IS NULL OR since >= until THEN
            RETURN;
        END IF;
    END IF;
    SELECT array_agg(l.watermark ORDER BY l.step_s) INTO watermarks FROM puppylog.levels AS l WHERE l.metric_id = metric.id;
    -- As parameters, the watermarks are known when the query is planned, so chunks below them are left out.
    RETURN QUERY EXECUTE coalesce(level.steps, metric.steps)
    USING since, until, step, watermarks[1], watermarks[2], watermarks[3];
END
$$;
