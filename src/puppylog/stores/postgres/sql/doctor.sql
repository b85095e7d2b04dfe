-- Queries of the doctor. Each query reads one part, so that a part that a role may not read hides no other part.

-- name: session
-- Whether this session can only read, and whether its role owns the store.
SELECT CAST(current_setting('transaction_read_only') AS boolean) AS is_read_only,
       pg_has_role((SELECT nspowner FROM pg_namespace WHERE nspname = 'puppylog'), 'MEMBER') AS is_owner

-- name: definitions
-- Whether there is a metric or an alert, which the jobs must keep up to date.
SELECT EXISTS (SELECT FROM puppylog.metrics) OR EXISTS (SELECT FROM puppylog.alerts) AS has_any

-- name: claimed_streams
-- The streams that any session has claimed.
SELECT CAST(objid AS integer) AS stream_id
FROM pg_locks
WHERE locktype = 'advisory' AND granted AND classid = 1885697641 AND objsubid = 2
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())

-- name: job_runner
-- The session of the client that runs the jobs, as far as this role may see it.
SELECT locks.pid, host(activity.client_addr) AS client_addr
FROM pg_locks AS locks
LEFT JOIN pg_stat_activity AS activity ON activity.pid = locks.pid
WHERE locks.locktype = 'advisory' AND locks.granted AND locks.classid = 1885697639 AND locks.objsubid = 2
  AND locks.objid = 6
  AND locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())

-- name: metrics
-- The metrics in the order of their names, and the seconds since the last refresh of each.
SELECT id, name, kind, statistic, property, period_s, error, refresh_s,
       CAST(extract(epoch FROM clock_timestamp() - coalesce(refreshed_at, created_at)) AS double precision) AS age_s,
       refreshed_at IS NOT NULL AS is_refreshed
FROM puppylog.metrics
ORDER BY name

-- name: limit_statement
SELECT set_config('statement_timeout', $limit_ms::text, true) AS set_to

-- name: count_day
-- The newest day of a metric before $before: the number of records in its buckets (held) and of all records (there).
SELECT CAST(since AS text) AS since, CAST(until AS text) AS until, held, there
FROM puppylog.count_day($id, $before::timestamptz)

-- name: is_being_checked
-- Whether lines were stored within [since, until) that the metric's buckets do not have yet.
SELECT EXISTS (SELECT FROM puppylog.touched_ranges
               WHERE metric_id = $id AND low < $until::timestamptz AND high >= $since::timestamptz)
    OR EXISTS (SELECT FROM puppylog.invalidations WHERE low < $until::timestamptz AND high >= $since::timestamptz)
    AS is_being_checked

-- name: levels
-- The levels of a metric, the finest first.
SELECT step_s, source, is_finest FROM puppylog.levels WHERE metric_id = $id ORDER BY step_s

-- name: compare_level
-- The records or buckets that a level holds, and those of the finer buckets below its watermark; the range of these; and
-- whether lines were stored in it that the buckets may have and the level not yet.
-- Parts are materialized, because Citus joins no distributed table with a local one.
WITH level AS MATERIALIZED (
    SELECT watermark FROM puppylog.levels WHERE metric_id = {id} AND step_s = {step_s}
), own AS MATERIALIZED (
    SELECT coalesce(sum({in_level}), 0) AS total FROM puppylog.level_{id}_{step_s}
), finer AS MATERIALIZED (
    SELECT coalesce(sum({in_source}), 0) AS total, min(bucket) AS since
    FROM {source} AS source WHERE bucket < (SELECT watermark FROM level)
), touched AS MATERIALIZED (
    SELECT count(*) AS ranges FROM puppylog.touched_ranges
    WHERE metric_id = {id} AND low < (SELECT watermark FROM level)
), late AS MATERIALIZED (
    SELECT count(*) AS ranges FROM puppylog.invalidations WHERE low < (SELECT watermark FROM level)
)
SELECT CAST(own.total AS double precision) AS stored, CAST(finer.total AS double precision) AS expected,
       CAST(coalesce(finer.since, level.watermark) AS text) AS since, CAST(level.watermark AS text) AS until,
       touched.ranges + late.ranges > 0 AS is_being_checked
FROM level, own, finer, touched, late

-- name: timescale_jobs
-- Puppylog's jobs in TimescaleDB: those of its schema, those on log_records, and the policies of its metrics.
SELECT jobs.job_id, CAST(jobs.proc_name AS text) AS proc_name, jobs.scheduled, stats.last_run_status, stats.job_status,
       coalesce(stats.total_runs, 0) AS total_runs, coalesce(stats.total_failures, 0) AS total_failures,
       CAST(extract(epoch FROM jobs.schedule_interval) AS double precision) AS every_s,
       CASE WHEN isfinite(stats.last_successful_finish)
            THEN CAST(extract(epoch FROM clock_timestamp() - stats.last_successful_finish) AS double precision)
            END AS success_age_s,
       CASE WHEN isfinite(stats.next_start)
            THEN CAST(extract(epoch FROM clock_timestamp() - stats.next_start) AS double precision) END AS late_s,
       CAST(extract(epoch FROM CAST(jobs.config ->> 'start_offset' AS interval)) AS double precision) AS start_offset_s,
       CAST(extract(epoch FROM CAST(jobs.config ->> 'drop_after' AS interval)) AS double precision) AS drop_after_s,
       CAST(substring(aggregates.user_view_name FROM '^continuous_([0-9]+)$') AS integer) AS metric_id
FROM timescaledb_information.jobs AS jobs
LEFT JOIN timescaledb_information.job_stats AS stats ON stats.job_id = jobs.job_id
LEFT JOIN _timescaledb_catalog.continuous_agg AS aggregates
       ON aggregates.mat_hypertable_id = CAST(jobs.config ->> 'mat_hypertable_id' AS integer)
      AND aggregates.user_view_schema = 'puppylog'
WHERE jobs.proc_schema = 'puppylog' OR aggregates.user_view_name IS NOT NULL
   OR (jobs.hypertable_schema = 'puppylog' AND jobs.hypertable_name = 'log_records')
ORDER BY jobs.job_id

-- name: job_error
-- The error of the last run of a job that failed. Only the job's owner may see it.
SELECT err_message FROM timescaledb_information.job_errors
WHERE job_id = $job_id
ORDER BY finish_time DESC NULLS LAST
LIMIT 1

-- name: background_workers
-- How many jobs may run at once in all databases together, and how many jobs this database has.
SELECT CAST(current_setting('timescaledb.max_background_workers') AS integer) AS workers,
       CAST(current_setting('max_worker_processes') AS integer) AS processes,
       (SELECT count(*) FROM timescaledb_information.jobs WHERE scheduled) AS jobs

-- name: cron_jobs
-- Puppylog's jobs in pg_cron, each with its last run. A role sees only its own jobs.
SELECT job.jobname, job.active, run.status, run.return_message,
       CAST(extract(epoch FROM clock_timestamp() - coalesce(run.end_time, run.start_time)) AS double precision) AS age_s
FROM cron.job AS job
LEFT JOIN LATERAL (
    SELECT details.status, details.return_message, details.start_time, details.end_time
    FROM cron.job_run_details AS details
    WHERE details.jobid = job.jobid
    ORDER BY details.runid DESC
    LIMIT 1
) AS run ON true
WHERE job.database = current_database() AND job.jobname IN ('puppylog jobs', 'puppylog days', 'puppylog tidy')
ORDER BY job.jobname

-- name: days
-- Whether there are partitions of today, of tomorrow and of any day, and whether the jobs that create them run.
SELECT to_regclass('puppylog.log_records_' || to_char(current_date, 'YYYYMMDD')) IS NOT NULL AS has_today,
       to_regclass('puppylog.log_records_' || to_char(current_date + 1, 'YYYYMMDD')) IS NOT NULL AS has_tomorrow,
       EXISTS (SELECT FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
               WHERE inhparent = CAST('puppylog.log_records' AS regclass) AND relname ~ '^log_records_[0-9]{8}$') AS has_any,
       (EXISTS (SELECT FROM pg_extension
                WHERE extname = 'pg_cron' AND CAST(string_to_array(substring(extversion, '^[0-9.]+'), '.') AS integer[]) >= '{1,5}')
        AND (SELECT installed_at FROM puppylog.installation) < now() - INTERVAL '15 minutes') -- it runs every 10 minutes
       OR EXISTS (SELECT FROM pg_locks
                  WHERE locktype = 'advisory' AND granted AND classid = 1885697639 AND objsubid = 2 AND objid = 6
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS are_tended

-- name: strays
-- The number of records in the default partition of days that get their own partitions, counted up to 100,000.
SELECT count(*) AS records
FROM (
    SELECT 1 AS one FROM puppylog.log_records_rest
    WHERE ts >= current_date - 400 AND ts < current_date + 4
    LIMIT 100000
) AS found

-- name: far_days
-- The first and the last record in the default partition of days that are too far from now for their own partitions.
SELECT min(ts) AS oldest, max(ts) AS newest
FROM puppylog.log_records_rest
WHERE ts < current_date - 400 OR ts >= current_date + 4

-- name: citus_nodes
-- The nodes of a cluster, and how many shards of log_records each holds.
SELECT nodes.nodename, nodes.nodeport, nodes.groupid, nodes.isactive, nodes.shouldhaveshards,
       count(shards.shardid) AS shards
FROM pg_dist_node AS nodes
LEFT JOIN pg_dist_placement AS placements ON placements.groupid = nodes.groupid
LEFT JOIN pg_dist_shard AS shards
       ON shards.shardid = placements.shardid AND shards.logicalrelid = CAST('puppylog.log_records' AS regclass)
WHERE nodes.noderole = 'primary'
GROUP BY nodes.nodename, nodes.nodeport, nodes.groupid, nodes.isactive, nodes.shouldhaveshards
ORDER BY nodes.groupid

-- name: citus_connections
-- The nodes of a cluster that cannot be reached, and from how many nodes. Which nodes they can reach is unknown then.
SELECT to_nodename, to_nodeport, count(*) AS from_nodes
FROM citus_check_cluster_node_health()
WHERE result = false
GROUP BY to_nodename, to_nodeport
ORDER BY to_nodename, to_nodeport

-- name: data_nodes
-- Whether TimescaleDB's data nodes answer.
SELECT CAST(node_name AS text) AS node_name, _timescaledb_functions.ping_data_node(node_name, INTERVAL '5 seconds') AS answers
FROM timescaledb_information.data_nodes
ORDER BY node_name
