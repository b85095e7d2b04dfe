-- Drops by age and size on TimescaleDB.

-- Drops the oldest chunks while the records need more than the limit of their size. Records that a metric has not counted
-- yet stay, and so do those in the window of a metric's policy, which would erase their buckets.
CREATE OR REPLACE FUNCTION puppylog.drop_excess(now timestamptz DEFAULT clock_timestamp()) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    most_bytes bigint := (SELECT max_bytes FROM puppylog.retention);
    last timestamptz := puppylog.counted_until(now - coalesce(
        (SELECT max(puppylog.refreshed_back(m.period_s)) FROM puppylog.metrics AS m), INTERVAL '1 day'));
    chunk record;
BEGIN
    IF most_bytes IS NULL THEN
        RETURN;
    END IF;
    FOR chunk IN SELECT DISTINCT c.range_end AS until FROM timescaledb_information.chunks AS c
                 WHERE c.hypertable_schema = 'puppylog' AND c.hypertable_name = 'log_records' ORDER BY 1
    LOOP
        EXIT WHEN {extension}.hypertable_size('puppylog.log_records') <= most_bytes OR chunk.until > last;
        PERFORM {extension}.drop_chunks('puppylog.log_records', older_than => chunk.until);
        UPDATE puppylog.retention SET dropped_before = greatest(dropped_before, chunk.until);
    END LOOP;
END
$$;

CREATE OR REPLACE PROCEDURE puppylog.retain_job(job_id integer, config jsonb)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM puppylog.drop_of_groups();
    COMMIT;
    PERFORM puppylog.drop_excess();
END
$$;

-- Makes TimescaleDB drop the chunks whose records are older than they are kept. The job that drops records of groups, or
-- for the size, exists only if a setting needs it.
CREATE OR REPLACE FUNCTION puppylog.schedule_drops() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    keep_s integer := (SELECT drop_after_s FROM puppylog.installation);
    metric integer;
    job integer := (SELECT j.job_id FROM timescaledb_information.jobs AS j
                    WHERE j.proc_schema = 'puppylog' AND j.proc_name = 'retain_job');
    is_needed boolean := EXISTS (SELECT FROM puppylog.retention WHERE max_bytes IS NOT NULL)
                         OR EXISTS (SELECT FROM puppylog.retention_groups) OR keep_s IS NOT NULL;
BEGIN
    IF is_needed AND job IS NULL THEN
        PERFORM {extension}.add_job('puppylog.retain_job', INTERVAL '1 minute');
    ELSIF job IS NOT NULL AND NOT is_needed THEN
        PERFORM {extension}.delete_job(job);
    END IF;
    FOR metric IN SELECT id FROM puppylog.metrics WHERE kind = 'continuous_aggregate' LOOP
        PERFORM puppylog.schedule_refresh(metric);
    END LOOP;
    PERFORM {extension}.remove_retention_policy('puppylog.log_records', if_exists => true);
    IF keep_s IS NOT NULL THEN
        PERFORM {extension}.add_retention_policy('puppylog.log_records', make_interval(secs => keep_s));
    END IF;
END
$$;

SELECT puppylog.schedule_drops();
