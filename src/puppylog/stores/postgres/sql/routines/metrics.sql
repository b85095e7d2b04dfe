-- Metrics that are kept as rollups: which ranges of time have been touched, and recomputing them.
--
-- Every ingest transaction notes the range of its records, whether late or not. A refresh first takes these notes, and
-- reads the records afterwards: so it sees the records of every note that it has taken, and a transaction that it does
-- not see yet leaves its note for the next refresh. No writer ever waits for a refresh, and none is overlooked.
-- All of this is done by one refresher at a time, under the lock (1885697639, 4).

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

-- Records older than this may have been dropped, so no bucket that reaches below it may be computed again.
CREATE OR REPLACE FUNCTION puppylog.oldest_kept(now timestamptz DEFAULT clock_timestamp()) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
    SELECT CASE WHEN drop_after_s IS NULL THEN '-infinity' ELSE now - make_interval(secs => drop_after_s) END
    FROM puppylog.installation
$$;

-- Hands the notes of all ingest transactions out to the metrics; returns false when another session is refreshing.
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
        -- Data nodes commit a moment after the access node, where the notes are. Notes in the future: the clock was set back.
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
    WHERE refreshed_at IS NULL OR refreshed_at <= now - make_interval(secs => refresh_s)
       OR refreshed_at > clock_timestamp() -- the clock was set back
    ORDER BY refreshed_at NULLS FIRST
$$;

-- What a metric has to recompute below its watermark: whole buckets, without overlaps, gaps of less than an hour closed.
CREATE OR REPLACE FUNCTION puppylog.stale_ranges(metric integer, at timestamptz DEFAULT clock_timestamp())
RETURNS TABLE (since timestamptz, until timestamptz)
LANGUAGE sql STABLE SET search_path = pg_catalog, puppylog, pg_temp AS $$
    WITH buckets AS (
        SELECT puppylog.floor_to(greatest(low, puppylog.ceil_to(puppylog.oldest_kept(at), period_s)), period_s) AS since,
               -- A rollup reads live what is above its watermark; of a continuous aggregate, only TimescaleDB knows it.
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

-- How many records the buckets of [since, until) hold, and how many there are. Counted in this order: records only
-- become more, so that equal counts mean that the buckets held all of them.
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

-- The same for the newest day below ``before`` that has records, of the buckets that ought to be complete: below the
-- metric's watermark, and not where records may have been dropped. Nulls if there is none.
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

-- Brings a rollup up to date: what is stale, and the buckets between its old and its new watermark; up to ``until`` at
-- most. ``at`` is now; a test may say another time. A failure is recorded with the metric, and never raised. The stored
-- query is read as it was judged, whatever the session that calls this says of strings.
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
    -- Lines come a little late even when nothing is wrong; the youngest buckets are left to live reading.
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
        END LOOP;
        DELETE FROM puppylog.touched_ranges WHERE metric_id = metric;
        UPDATE puppylog.metrics SET watermark = goal, refreshed_at = clock_timestamp(), error = NULL WHERE id = metric;
    EXCEPTION WHEN OTHERS THEN
        UPDATE puppylog.metrics SET refreshed_at = clock_timestamp(), error = SQLERRM WHERE id = metric;
    END;
END
$$;

-- One round of refreshing, for whatever schedules it.
CREATE OR REPLACE PROCEDURE puppylog.refresh_rollups()
LANGUAGE plpgsql AS $$
DECLARE
    due integer;
    is_taken boolean;
BEGIN
    -- With a worker of Citus away, the notes of what lines have touched cannot be read; the alerts still have their turn.
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
