-- The jobs of a store without TimescaleDB. pg_cron 1.5 or later runs them if this database has it. Otherwise a puppylog
-- process runs them, one process at a time.

-- Does nothing: the job that creates partitions reads at every run for how long records are kept.
CREATE OR REPLACE FUNCTION puppylog.schedule_drops() RETURNS void LANGUAGE sql AS $$ SELECT $$;

-- One round of all jobs, for pg_cron.
CREATE OR REPLACE PROCEDURE puppylog.run_jobs(evaluator text)
LANGUAGE plpgsql AS $$
BEGIN
    CALL puppylog.refresh_rollups();
    CALL puppylog.evaluate_alerts(evaluator);
END
$$;

-- pg_cron before 1.5 has no schedules of seconds.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_extension
               WHERE extname = 'pg_cron' AND string_to_array(substring(extversion, '^[0-9.]+'), '.')::integer[] >= '{1,5}') THEN
        PERFORM cron.schedule('puppylog jobs', '5 seconds', $job$CALL puppylog.run_jobs('pg_cron')$job$);
        PERFORM cron.schedule('puppylog days', '*/10 * * * *', 'SELECT puppylog.tend_days()');
        PERFORM cron.schedule('puppylog tidy', '17 * * * *', $job$DELETE FROM cron.job_run_details
            WHERE end_time < now() - interval '1 day' AND command LIKE '%puppylog.%'$job$);
    END IF;
END
$$;
