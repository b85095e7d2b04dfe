-- TimescaleDB's scheduler stores when a job runs next. When the clock is set back, this instant is in the future, and the
-- job waits until the clock shows the old time again. A job that repairs this would wait, too, so clients call this.

-- Makes Puppylog's jobs run now that wait because of the clock: those of its schema, those on log_records, and the
-- policies of its metrics. After a failure a job waits for at most five schedule intervals, and after a crash for five
-- minutes. So a job waits because of the clock if it would wait longer, or if its last start is in the future. An
-- administrator may have set the next start to 'infinity': such a job is not changed.
-- This never fails: a job that cannot be changed now, or not by this role, is left to the next call.
CREATE OR REPLACE FUNCTION puppylog.wake_jobs() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
    waiting integer;
BEGIN
    FOR waiting IN
        SELECT jobs.job_id
        FROM timescaledb_information.jobs AS jobs
        JOIN timescaledb_information.job_stats AS stats ON stats.job_id = jobs.job_id
        LEFT JOIN _timescaledb_catalog.continuous_agg AS aggregates
               ON aggregates.mat_hypertable_id = CAST(jobs.config ->> 'mat_hypertable_id' AS integer)
              AND aggregates.user_view_schema = 'puppylog'
        WHERE jobs.scheduled AND stats.job_status <> 'Running' AND isfinite(stats.next_start)
          AND (jobs.proc_schema = 'puppylog' OR aggregates.user_view_name IS NOT NULL
               OR (jobs.hypertable_schema = 'puppylog' AND jobs.hypertable_name = 'log_records'))
          AND stats.next_start > clock_timestamp() + CASE
              WHEN stats.last_run_started_at > clock_timestamp() + INTERVAL '2 seconds' THEN jobs.schedule_interval
              ELSE greatest(6 * jobs.schedule_interval, INTERVAL '5 minutes 10 seconds') END
    LOOP
        BEGIN
            PERFORM {extension}.alter_job(waiting, next_start => clock_timestamp());
        EXCEPTION WHEN OTHERS THEN
            CONTINUE;
        END;
    END LOOP;
EXCEPTION WHEN OTHERS THEN
    RETURN;
END
$$;
