-- Rollups of metrics: the ranges of time that must be computed again, and refreshing them.
--
-- Each ingest transaction stores invalidations for the times of its records, late or not. A refresh first takes the
-- invalidations and then reads the records. So it sees the records of all invalidations that it has taken. A transaction
-- that it does not see yet leaves its invalidations for the next refresh. So no writer waits for a refresh, and no record
-- is missed. Only one refresher at a time does this, under the lock (1885697639, 4).

CREATE OR REPLACE FUNCTION puppylog.floor_to(at timestamptz, period_s integer) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN isfinite(at)
                THEN date_bin(make_interval(secs => period_s), at, TIMESTAMPTZ '1970-01-01 00:00:00+00') ELSE at END
$$;

CREATE OR REPLACE FUNCTION puppylog.ceil_to(at timestamptz, period_s integer) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN puppylog.floor_to(at, period_s) = at THEN at
                ELSE puppylog.floor_to(at, period_s) + make_interval(secs => period_s) END
$$;

-- The shortest time in seconds for which the records of any stream are kept; null: all are kept for ever.
CREATE OR REPLACE FUNCTION puppylog.least_keep_s() RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
    SELECT least((SELECT drop_after_s FROM puppylog.installation),
                 (SELECT min(keep_s) FROM puppylog.retention_groups
                  WHERE group_name IN (SELECT name FROM puppylog.log_groups)))
$$;

-- Records before this instant may have been dropped, so a bucket that starts before it must not be computed again.
CREATE OR REPLACE FUNCTION puppylog.oldest_kept(now timestamptz DEFAULT clock_timestamp()) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
    SELECT greatest(coalesce(now - make_interval(secs => puppylog.least_keep_s()), '-infinity'),
                    coalesce(dropped_before, '-infinity'))
    FROM puppylog.retention
$$;

-- Turns the invalidations into touched ranges of the metrics; returns false if another session is refreshing.
CREATE OR REPLACE FUNCTION puppylog.take_invalidations() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
DECLARE
    taken record;
    settled timestamptz := 'infinity';
BEGIN
    IF NOT pg_try_advisory_xact_lock(1885697639, 4) THEN
        RETURN false;
    END IF;
    IF (SELECT flavour FROM puppylog.installation) = 'timescaledb_distributed' THEN
        -- Data nodes commit a moment after the access node, which has the invalidations. If the clock was set back,
        -- invalidations may be in the future.
        UPDATE puppylog.invalidations SET noted_at = clock_timestamp() WHERE noted_at > clock_timestamp();
        settled := clock_timestamp() - interval '5 seconds';
    END IF;
    FOR taken IN DELETE FROM puppylog.invalidations WHERE noted_at <= settled RETURNING low, high LOOP
        INSERT INTO puppylog.touched_ranges (metric_id, low, high)
        SELECT id, taken.low, taken.high FROM puppylog.metrics
        WHERE kind = 'continuous_aggregate' OR taken.low < watermark;
    END LOOP;
    RETURN true;
END
$$;

CREATE OR REPLACE FUNCTION puppylog.metrics_due(now timestamptz DEFAULT clock_timestamp()) RETURNS SETOF integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
    SELECT id FROM puppylog.metrics
    WHERE kind <> 'derived' -- which has no rollup
      AND (refreshed_at IS NULL OR refreshed_at <= now - make_interval(secs => refresh_s)
           OR refreshed_at > clock_timestamp()) -- the clock was set back
    ORDER BY refreshed_at NULLS FIRST
$$;

-- The ranges below its watermark that a metric must compute again: whole buckets, without overlaps, and merged if they
-- are less than an hour apart.
CREATE OR REPLACE FUNCTION puppylog.stale_ranges(metric integer, at timestamptz DEFAULT clock_timestamp())
RETURNS TABLE (since timestamptz, until timestamptz)
LANGUAGE sql STABLE SET search_path = pg_catalog, puppylog, pg_temp AS $$
    WITH buckets AS (
        SELECT puppylog.floor_to(greatest(low, puppylog.ceil_to(puppylog.oldest_kept(at), period_s)), period_s) AS since,
               -- The buckets of a rollup above its watermark are computed when they are read. Only TimescaleDB knows the
               -- watermark of a continuous aggregate.
               least(puppylog.ceil_to(high + interval '1 microsecond', period_s),
                     CASE kind WHEN 'rollup' THEN watermark ELSE 'infinity' END) AS until
        FROM puppylog.touched_ranges JOIN puppylog.metrics ON metrics.id = metric_id
        WHERE metric_id = metric
    ), marked AS (
        SELECT since, until,
               since > max(until) OVER (ORDER BY since ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) + interval '1 hour'
                   AS is_apart
        FROM buckets WHERE since < until
    ), numbered AS (
        SELECT since, until, count(*) FILTER (WHERE is_apart) OVER (ORDER BY since ROWS UNBOUNDED PRECEDING) AS island
        FROM marked
    )
    SELECT min(since), max(until) FROM numbered GROUP BY island ORDER BY 1
$$;

-- The number of records in the buckets of [since, until) (held), and the number of the records themselves (there). They
-- are counted in this order: records that come meanwhile never make the second number smaller.
CREATE OR REPLACE FUNCTION puppylog.count_range(
    metric integer, since timestamptz, until timestamptz, OUT held bigint, OUT there bigint
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp
SET standard_conforming_strings = on SET transform_null_equals = off AS $$
DECLARE
    stored puppylog.metrics;
BEGIN
    SELECT * INTO STRICT stored FROM puppylog.metrics WHERE id = metric;
    EXECUTE format(
        'SELECT coalesce(sum(n), 0) FROM puppylog.%I WHERE bucket >= $1 AND bucket < $2',
        format(CASE stored.kind WHEN 'rollup' THEN 'rollup_%s' ELSE 'continuous_%s' END, metric)
    ) INTO held USING since, until;
    EXECUTE format('SELECT coalesce(sum(n), 0) FROM (%s) AS buckets', stored.query)
    INTO there
    USING since, until, ARRAY(SELECT s.id FROM puppylog.log_streams AS s WHERE s.group_id = stored.group_id);
END
$$;

-- The same for the newest day before ``before`` that has records. Only buckets below the metric's watermark are counted,
-- and only those whose records cannot have been dropped. Nulls if there is no such day.
CREATE OR REPLACE FUNCTION puppylog.count_day(
    metric integer, before timestamptz, OUT since timestamptz, OUT until timestamptz, OUT held bigint, OUT there bigint
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
DECLARE
    stored puppylog.metrics;
    oldest timestamptz;
    newest timestamptz;
BEGIN
    SELECT * INTO STRICT stored FROM puppylog.metrics WHERE id = metric;
    oldest := puppylog.ceil_to(puppylog.oldest_kept(), stored.period_s);
    SELECT max(r.ts) INTO newest FROM puppylog.log_records AS r
    WHERE r.ts >= oldest AND r.ts < least(before, stored.watermark);
    IF newest IS NULL THEN
        RETURN;
    END IF;
    until := puppylog.floor_to(newest, stored.period_s) + make_interval(secs => stored.period_s);
    since := greatest(puppylog.floor_to(until - INTERVAL '1 day', stored.period_s), oldest);
    SELECT c.held, c.there INTO held, there FROM puppylog.count_range(metric, since, until) AS c;
END
$$;

-- Refreshes a rollup, up to ``until`` at most: the ranges of stale_ranges, and the buckets between its old and its new
-- watermark. ``at`` is the current time, except in tests. An error is stored with the metric and not raised. The settings
-- below ensure that the stored query means the same in every session.
CREATE OR REPLACE FUNCTION puppylog.refresh_rollup(
    metric integer, until timestamptz DEFAULT 'infinity', at timestamptz DEFAULT clock_timestamp()
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp
SET standard_conforming_strings = on SET transform_null_equals = off AS $$
DECLARE
    stored puppylog.metrics;
    goal timestamptz;
    stale record;
    streams integer[];
BEGIN
    PERFORM pg_advisory_xact_lock(1885697639, 4);
    SELECT * INTO stored FROM puppylog.metrics WHERE id = metric AND kind = 'rollup' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    streams := ARRAY(SELECT s.id FROM puppylog.log_streams AS s WHERE s.group_id = stored.group_id);
    -- Lines normally arrive a little late, so the newest buckets are computed when they are read.
    goal := least(until, at - make_interval(secs => greatest(stored.period_s, 2)));
    goal := greatest(puppylog.floor_to(goal, stored.period_s), stored.watermark);
    BEGIN
        FOR stale IN
            SELECT r.since, r.until FROM puppylog.stale_ranges(metric, at) AS r
            UNION ALL
            SELECT stored.watermark, goal WHERE stored.watermark < goal
        LOOP
            EXECUTE format('DELETE FROM puppylog.rollup_%s WHERE bucket >= $1 AND bucket < $2', metric)
            USING stale.since, stale.until;
            EXECUTE format('INSERT INTO puppylog.rollup_%s ', metric) || stored.query
            USING stale.since, stale.until, streams;
            PERFORM puppylog.rewrite_levels(metric, stale.since, stale.until);
        END LOOP;
        PERFORM puppylog.advance_levels(metric, goal);
        DELETE FROM puppylog.touched_ranges WHERE metric_id = metric;
        UPDATE puppylog.metrics SET watermark = goal, refreshed_at = clock_timestamp(), error = NULL WHERE id = metric;
    EXCEPTION WHEN OTHERS THEN
        UPDATE puppylog.metrics SET refreshed_at = clock_timestamp(), error = SQLERRM WHERE id = metric;
    END;
END
$$;

-- One round: refreshes all due metrics.
CREATE OR REPLACE PROCEDURE puppylog.refresh_rollups()
LANGUAGE plpgsql AS $$
DECLARE
    due integer;
    is_taken boolean;
BEGIN
    -- If a worker of Citus does not answer, the invalidations cannot be read. Alerts must still be evaluated.
    BEGIN
        is_taken := puppylog.take_invalidations();
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'cannot refresh metrics: %', SQLERRM;
        is_taken := false;
    END;
    IF NOT is_taken THEN
        RETURN;
    END IF;
    COMMIT;
    FOR due IN SELECT * FROM puppylog.metrics_due() LOOP
        PERFORM puppylog.refresh_rollup(due);
        COMMIT;
    END LOOP;
END
$$;
