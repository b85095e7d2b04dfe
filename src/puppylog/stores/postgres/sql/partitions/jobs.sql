-- What runs the jobs where there is no TimescaleDB: pg_cron 1.5 or later if this database has it; otherwise any puppylog
-- process that stays, one at a time.

-- One round of everything, for whatever schedules it.
CREATE OR REPLACE PROCEDURE puppylog.run_jobs(evaluator text)
LANGUAGE plpgsql AS $$
BEGIN
    CALL puppylog.refresh_rollups();
    CALL puppylog.evaluate_alerts(evaluator);
END
$$;

-- An older pg_cron refuses a schedule of seconds.
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
