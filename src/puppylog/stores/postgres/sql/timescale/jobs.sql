-- The jobs in TimescaleDB's scheduler: the evaluation of alerts, and refreshes of buckets that its policies leave out.

-- How far back a metric's policy refreshes. This is always less than the time for which records are kept: a refresh
-- erases a bucket whose records were dropped.
CREATE OR REPLACE FUNCTION puppylog.refreshed_back(period_s integer) RETURNS interval
LANGUAGE sql STABLE SET search_path = pg_catalog, puppylog, pg_temp AS $$
    SELECT least(make_interval(secs => 86400 + 10 * period_s),
                 make_interval(secs => puppylog.least_keep_s() - period_s))
$$;

-- Adds the refresh policy of a metric, and replaces an existing one.
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

-- Whether TimescaleDB knows of records in [since, until) that were stored, changed or deleted after the buckets there were
-- computed. Both of its logs are asked: the first one is of the records, and a refresh moves its rows into the second one.
CREATE OR REPLACE FUNCTION puppylog.is_invalid(metric integer, since timestamptz, until timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    WITH asked AS (
        SELECT CAST(EXTRACT(epoch FROM is_invalid.since) * 1000000 AS bigint) AS low,
               CAST(EXTRACT(epoch FROM is_invalid.until) * 1000000 AS bigint) - 1 AS high
    )
    SELECT EXISTS (
        SELECT FROM asked, _timescaledb_catalog.continuous_agg AS aggregate
        WHERE aggregate.user_view_schema = 'puppylog' AND aggregate.user_view_name = format('continuous_%s', metric)
          AND (EXISTS (
              SELECT FROM _timescaledb_catalog.continuous_aggs_hypertable_invalidation_log AS log
              WHERE log.hypertable_id = aggregate.raw_hypertable_id
                AND log.lowest_modified_value <= asked.high AND log.greatest_modified_value >= asked.low
          ) OR EXISTS (
              SELECT FROM _timescaledb_catalog.continuous_aggs_materialization_invalidation_log AS log
              WHERE log.materialization_id = aggregate.mat_hypertable_id
                AND log.lowest_modified_value <= asked.high AND log.greatest_modified_value >= asked.low
          ))
    )
$$;

-- Refreshes a range of whole buckets in one transaction. By default TimescaleDB makes a transaction for every ten
-- buckets, and a day has 86,400 buckets of a second.
-- With ``again``, also buckets that TimescaleDB considers up to date are computed, if its release has this option.
CREATE OR REPLACE PROCEDURE puppylog.refresh_range(
    metric integer, since timestamptz, until timestamptz, again boolean DEFAULT false
)
LANGUAGE plpgsql AS $$
BEGIN
    CALL {extension}.refresh_continuous_aggregate(
        format('puppylog.continuous_%s', metric)::regclass, since, until{refresh_options}
    );
END
$$;

-- Checks the buckets between the metric's watermark in Puppylog and TimescaleDB's watermark. Queries read the buckets
-- below TimescaleDB's watermark from the aggregate, but a policy moves this watermark over buckets that are older than
-- its window without computing them. If the count of a day differs from the number of its records, the day becomes a
-- touched range. The metric's watermark in Puppylog is the end of the checked buckets. One round checks for at most five
-- seconds, and the next round goes on.
CREATE OR REPLACE PROCEDURE puppylog.check_passed(metric integer, reached timestamptz, at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    stored puppylog.metrics;
    started timestamptz := clock_timestamp();
    since timestamptz;
    until timestamptz;
    count record;
BEGIN
    SELECT * INTO STRICT stored FROM puppylog.metrics WHERE id = metric;
    IF reached <= stored.watermark THEN
        RETURN;
    END IF;
    until := greatest(stored.watermark, puppylog.ceil_to(puppylog.oldest_kept(at), stored.period_s));
    LOOP
        SELECT puppylog.floor_to(min(r.ts), stored.period_s) INTO since
        FROM puppylog.log_records AS r WHERE r.ts >= until AND r.ts < reached;
        EXIT WHEN since IS NULL;
        until := least(puppylog.ceil_to(since + INTERVAL '1 day', stored.period_s), reached);
        SELECT * INTO count FROM puppylog.count_range(metric, since, until);
        IF count.held <> count.there THEN
            INSERT INTO puppylog.touched_ranges (metric_id, low, high)
            VALUES (metric, since, until - INTERVAL '1 microsecond');
        END IF;
        UPDATE puppylog.metrics SET watermark = until WHERE id = metric;
        COMMIT;
        IF clock_timestamp() NOT BETWEEN started AND started + INTERVAL '5 seconds' THEN
            RETURN;
        END IF;
    END LOOP;
    UPDATE puppylog.metrics SET watermark = reached, refreshed_at = clock_timestamp() WHERE id = metric;
    COMMIT;
END
$$;

-- Refreshes the touched ranges of a metric. The metric's policy refreshes the buckets in its window. Older buckets are
-- refreshed here, one range after another, even above TimescaleDB's watermark, because no policy does so later. A range
-- is deleted when the number of records in its buckets is right and TimescaleDB knows of no change, or when its buckets are
-- still computed when they are read. The number alone proves nothing: records may have been replaced by as many others. A
-- refresh has failed if its buckets have fewer records than there were before it began, or more than there are now; records
-- that came since do not count. If a refresh raises an error, the ranges stay, and the next run of the job retries.
-- ``at`` is the current time, except in tests.
CREATE OR REPLACE PROCEDURE puppylog.refresh_touched(metric integer, at timestamptz DEFAULT clock_timestamp())
LANGUAGE plpgsql AS $$
DECLARE
    stored puppylog.metrics;
    reached timestamptz := puppylog.watermark_of(metric);
    last_touched bigint;
    policy_since timestamptz;
    stale record;
    before record;
    after record;
    mismatch text;
BEGIN
    CALL puppylog.check_passed(metric, reached, at);
    PERFORM puppylog.advance_levels(metric, (SELECT least(m.watermark, reached) FROM puppylog.metrics AS m WHERE m.id = metric));
    COMMIT;
    last_touched := (SELECT max(id) FROM puppylog.touched_ranges WHERE metric_id = metric);
    SELECT * INTO STRICT stored FROM puppylog.metrics WHERE id = metric;
    -- Rounded up, because the policy refreshes only buckets that are completely in its window.
    policy_since := puppylog.ceil_to(at - puppylog.refreshed_back(stored.period_s), stored.period_s);
    FOR stale IN
        SELECT part.since, part.until, part.is_ours
        FROM puppylog.stale_ranges(metric, at) AS r,
             LATERAL (VALUES (r.since, least(r.until, policy_since), true),
                             (greatest(r.since, policy_since), least(r.until, reached), false)) AS part (since, until, is_ours)
        WHERE part.since < part.until
        ORDER BY 1
    LOOP
        SELECT * INTO before FROM puppylog.count_range(metric, stale.since, stale.until);
        after := before;
        IF stale.is_ours THEN
            CALL puppylog.refresh_range(metric, stale.since, stale.until);
            SELECT * INTO after FROM puppylog.count_range(metric, stale.since, stale.until);
            IF after.held < before.there OR after.held > after.there THEN
                -- TimescaleDB may have lost its own invalidation of the range.
                CALL puppylog.refresh_range(metric, stale.since, stale.until, again => true);
                SELECT * INTO after FROM puppylog.count_range(metric, stale.since, stale.until);
            END IF;
            IF after.held < before.there OR after.held > after.there THEN
                mismatch := format('the refresh of %s to %s holds %s of %s records',
                                   stale.since, stale.until, after.held, before.there);
            END IF;
        END IF;
        IF after.held <> after.there OR puppylog.is_invalid(metric, stale.since, stale.until) THEN
            INSERT INTO puppylog.touched_ranges (metric_id, low, high)
            VALUES (metric, stale.since, stale.until - INTERVAL '1 microsecond');
        END IF;
        PERFORM puppylog.rewrite_levels(metric, stale.since, stale.until);
        COMMIT;
    END LOOP;
    DELETE FROM puppylog.touched_ranges WHERE metric_id = metric AND id <= last_touched;
    UPDATE puppylog.metrics SET error = mismatch WHERE id = metric AND error IS DISTINCT FROM mismatch;
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

-- Does nothing: TimescaleDB creates and drops chunks by itself.
CREATE OR REPLACE FUNCTION puppylog.tend_days() RETURNS void LANGUAGE sql AS $$ SELECT $$;

DO $$
DECLARE
    chosen puppylog.installation;
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
    IF chosen.columnar_after_s IS NOT NULL AND chosen.flavour = 'timescaledb' THEN -- with data nodes, compress_job does it
        PERFORM {extension}.add_compression_policy('puppylog.log_records', make_interval(secs => chosen.columnar_after_s));
    END IF;
END
$$;
