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
        schedule_interval => make_interval(secs => stored.refresh_s)
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
LANGUAGE plpgsql AS $$
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

-- Refreshes what lines have touched before the time that the policies look after; serially, and checked by counting.
-- Should a refresh fail, because another one is at the same range, the job is tried again, and nothing is forgotten.
CREATE OR REPLACE PROCEDURE puppylog.refresh_job(job_id integer, config jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    due integer;
    metric record;
    stale record;
    last_touched bigint;
    settled timestamptz;
    mismatch text;
BEGIN
    IF NOT puppylog.take_invalidations() THEN
        RETURN;
    END IF;
    COMMIT;
    FOR due IN SELECT d.id FROM puppylog.metrics_due() AS d (id) JOIN puppylog.metrics AS m ON m.id = d.id WHERE m.kind = 'rollup'
    LOOP
        PERFORM puppylog.refresh_rollup(due);
        COMMIT;
    END LOOP;
    FOR metric IN SELECT id, period_s FROM puppylog.metrics WHERE kind = 'continuous_aggregate' ORDER BY id LOOP
        settled := puppylog.floor_to(clock_timestamp() - make_interval(secs => greatest(metric.period_s, 2)), metric.period_s);
        last_touched := (SELECT max(id) FROM puppylog.touched_ranges WHERE metric_id = metric.id);
        mismatch := NULL;
        FOR stale IN
            SELECT r.since, least(r.until, settled) AS until FROM puppylog.stale_ranges(metric.id) AS r
            WHERE r.since < clock_timestamp() - puppylog.refreshed_back(metric.period_s)
              AND r.since < least(r.until, settled)
        LOOP
            CALL {extension}.refresh_continuous_aggregate(
                format('puppylog.continuous_%s', metric.id)::regclass, stale.since, stale.until
            );
            IF NOT puppylog.is_refreshed(metric.id, stale.since, stale.until) THEN
                mismatch := format('the refresh of %s to %s holds fewer records than there are', stale.since, stale.until);
            END IF;
            COMMIT;
        END LOOP;
        IF mismatch IS NULL THEN
            DELETE FROM puppylog.touched_ranges WHERE metric_id = metric.id AND id <= last_touched;
        END IF;
        UPDATE puppylog.metrics SET error = mismatch WHERE id = metric.id AND error IS DISTINCT FROM mismatch;
        PERFORM puppylog.note_refresh(metric.id);
        COMMIT;
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
