-- What TimescaleDB's scheduler runs: the evaluator of alerts, and the refresh of what its own policies do not reach.

-- How far back a metric's policy refreshes. Always less than records are kept: refreshing a bucket whose records are
-- gone would erase it.
CREATE OR REPLACE FUNCTION puppylog.refreshed_back(period_s integer) RETURNS interval
LANGUAGE sql STABLE SET search_path = pg_catalog, puppylog, pg_temp AS $$
    SELECT least(make_interval(secs => 86400 + 10 * period_s), make_interval(secs => drop_after_s - period_s))
    FROM puppylog.installation
$$;

-- Adds the refresh policy of a metric, anew if there is one.
CREATE OR REPLACE FUNCTION puppylog.schedule_refresh(metric integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    stored puppylog.metrics;
    name text := format('puppylog.continuous_%s', metric);
BEGIN
    SELECT * INTO STRICT stored FROM puppylog.metrics WHERE id = metric;
    PERFORM {extension}.remove_continuous_aggregate_policy(name::regclass, if_exists => true);
    PERFORM {extension}.add_continuous_aggregate_policy(
        name::regclass,
        start_offset => puppylog.refreshed_back(stored.period_s),
        end_offset => make_interval(secs => greatest(stored.period_s, 2)),
        schedule_interval => make_interval(secs => stored.refresh_s){policy_options}
    );
END
$$;

CREATE OR REPLACE FUNCTION puppylog.watermark_of(metric integer) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT _timescaledb_functions.to_timestamp(_timescaledb_functions.cagg_watermark(mat_hypertable_id))
    FROM _timescaledb_catalog.continuous_agg
    WHERE user_view_schema = 'puppylog' AND user_view_name = format('continuous_%s', metric)
$$;

-- Notes how far TimescaleDB has refreshed a metric.
CREATE OR REPLACE FUNCTION puppylog.note_refresh(metric integer) RETURNS void
LANGUAGE sql AS $$
    UPDATE puppylog.metrics SET watermark = puppylog.watermark_of(id), refreshed_at = clock_timestamp()
    WHERE id = metric AND watermark IS DISTINCT FROM puppylog.watermark_of(id)
$$;

-- Whether a materialized range holds as many records as there are.
CREATE OR REPLACE FUNCTION puppylog.is_refreshed(metric integer, since timestamptz, until timestamptz) RETURNS boolean
LANGUAGE plpgsql SET standard_conforming_strings = on SET transform_null_equals = off AS $$
DECLARE
    held bigint;
    there bigint;
BEGIN
    EXECUTE format('SELECT coalesce(sum(n), 0) FROM puppylog.continuous_%s WHERE bucket >= $1 AND bucket < $2', metric)
    INTO held USING since, until;
    EXECUTE format('SELECT coalesce(sum(n), 0) FROM (%s) AS buckets', (SELECT query FROM puppylog.metrics WHERE id = metric))
    INTO there USING since, until;
    RETURN held = there;
END
$$;

-- Refreshes a range of whole buckets at once. Without batches: by default, TimescaleDB makes a transaction of every ten
-- buckets, and a day has 86,400 of a second.
CREATE OR REPLACE PROCEDURE puppylog.refresh_range(metric integer, since timestamptz, until timestamptz)
LANGUAGE plpgsql AS $$
BEGIN
    CALL {extension}.refresh_continuous_aggregate(
        format('puppylog.continuous_%s', metric)::regclass, since, until{refresh_options}
    );
END
$$;

-- Sees to what lines have touched. What lies within the reach of a metric's policy is left to that, and waited for; what
-- is older is refreshed here, one range after another, even above the watermark: once it moves, nobody else will. A range is forgotten when counting says that
-- it holds as many records as there are. Should a refresh fail, the job is tried again, and nothing has been forgotten.
CREATE OR REPLACE PROCEDURE puppylog.refresh_touched(metric integer)
LANGUAGE plpgsql AS $$
DECLARE
    stored puppylog.metrics;
    reached timestamptz := puppylog.watermark_of(metric);
    last_touched bigint := (SELECT max(id) FROM puppylog.touched_ranges WHERE metric_id = metric);
    policy_since timestamptz;
    stale record;
    mismatch text;
BEGIN
    SELECT * INTO STRICT stored FROM puppylog.metrics WHERE id = metric;
    -- As the policy has it: it refreshes only buckets that are within its reach as a whole.
    policy_since := puppylog.ceil_to(clock_timestamp() - puppylog.refreshed_back(stored.period_s), stored.period_s);
    FOR stale IN
        SELECT part.since, part.until, part.is_ours
        FROM puppylog.stale_ranges(metric) AS r,
             LATERAL (VALUES (r.since, least(r.until, policy_since), true),
                             (greatest(r.since, policy_since), least(r.until, reached), false)) AS part (since, until, is_ours)
        WHERE part.since < part.until
        ORDER BY 1
    LOOP
        IF stale.is_ours THEN
            CALL puppylog.refresh_range(metric, stale.since, stale.until);
        END IF;
        IF NOT puppylog.is_refreshed(metric, stale.since, stale.until) THEN
            INSERT INTO puppylog.touched_ranges (metric_id, low, high)
            VALUES (metric, stale.since, stale.until - INTERVAL '1 microsecond');
            IF stale.is_ours THEN
                mismatch := format('the refresh of %s to %s holds other records than there are', stale.since, stale.until);
            END IF;
        END IF;
        COMMIT;
    END LOOP;
    DELETE FROM puppylog.touched_ranges WHERE metric_id = metric AND id <= last_touched;
    UPDATE puppylog.metrics SET error = mismatch WHERE id = metric AND error IS DISTINCT FROM mismatch;
    PERFORM puppylog.note_refresh(metric);
    COMMIT;
END
$$;

CREATE OR REPLACE PROCEDURE puppylog.refresh_job(job_id integer, config jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    due record;
BEGIN
    IF NOT puppylog.take_invalidations() THEN
        RETURN;
    END IF;
    COMMIT;
    FOR due IN SELECT m.id FROM puppylog.metrics_due() AS d (id) JOIN puppylog.metrics AS m USING (id) WHERE m.kind = 'rollup'
    LOOP
        PERFORM puppylog.refresh_rollup(due.id);
        COMMIT;
    END LOOP;
    FOR due IN SELECT id FROM puppylog.metrics WHERE kind = 'continuous_aggregate' ORDER BY id LOOP
        CALL puppylog.refresh_touched(due.id);
    END LOOP;
END
$$;

-- TimescaleDB makes chunks by itself.
CREATE OR REPLACE FUNCTION puppylog.tend_days() RETURNS void LANGUAGE sql AS $$ SELECT $$;

DO $$
DECLARE
    chosen puppylog.installation;
    metric integer;
BEGIN
    SELECT * INTO STRICT chosen FROM puppylog.installation;
    IF NOT EXISTS (SELECT FROM timescaledb_information.jobs WHERE proc_schema = 'puppylog' AND proc_name = 'evaluate_job') THEN
        PERFORM {extension}.alter_job(
            {extension}.add_job('puppylog.evaluate_job', INTERVAL '5 seconds'), retry_period => INTERVAL '5 seconds'
        );
    END IF;
    IF NOT EXISTS (SELECT FROM timescaledb_information.jobs WHERE proc_schema = 'puppylog' AND proc_name = 'refresh_job') THEN
        PERFORM {extension}.alter_job(
            {extension}.add_job('puppylog.refresh_job', INTERVAL '5 seconds'), retry_period => INTERVAL '10 seconds'
        );
    END IF;
    PERFORM {extension}.remove_compression_policy('puppylog.log_records', if_exists => true);
    IF chosen.columnar_after_s IS NOT NULL THEN
        PERFORM {extension}.add_compression_policy('puppylog.log_records', make_interval(secs => chosen.columnar_after_s));
    END IF;
    PERFORM {extension}.remove_retention_policy('puppylog.log_records', if_exists => true);
    IF chosen.drop_after_s IS NOT NULL THEN
        PERFORM {extension}.add_retention_policy('puppylog.log_records', make_interval(secs => chosen.drop_after_s));
    END IF;
    FOR metric IN SELECT id FROM puppylog.metrics WHERE kind = 'continuous_aggregate' LOOP
        PERFORM puppylog.schedule_refresh(metric);
    END LOOP;
END
$$;
