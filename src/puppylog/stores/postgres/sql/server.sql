-- The properties of the server, and the installation in the database.

-- name: server
-- All properties on which a flavour depends. A property that this role may not see is null.
SELECT pg_is_in_recovery() AS is_standby,
       (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescaledb,
       (SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb') AS timescaledb_offered,
       current_setting('timescaledb.license', true) AS timescaledb_license,
       coalesce((SELECT CAST(extnamespace::regnamespace AS text) FROM pg_extension WHERE extname = 'timescaledb'), 'public')
           AS timescaledb_schema,
       EXISTS (SELECT FROM pg_proc WHERE proname = 'refresh_continuous_aggregate' AND 'options' = ANY (proargnames))
           AS refreshes_in_batches,
       EXISTS (SELECT FROM pg_proc
               WHERE proname = 'add_continuous_aggregate_policy' AND 'buckets_per_batch' = ANY (proargnames))
           AS has_batched_policies,
       CAST((SELECT count(*) FROM pg_foreign_server JOIN pg_foreign_data_wrapper AS w ON w.oid = srvfdw
             WHERE fdwname = 'timescaledb_fdw') AS integer) AS data_nodes,
       (SELECT extversion FROM pg_extension WHERE extname = 'citus') AS citus,
       (SELECT default_version FROM pg_available_extensions WHERE name = 'citus') AS citus_offered,
       EXISTS (SELECT FROM pg_extension WHERE extname = 'citus_columnar') AS citus_columnar,
       EXISTS (SELECT FROM pg_available_extensions WHERE name = 'citus_columnar') AS citus_columnar_offered,
       (SELECT extversion FROM pg_extension WHERE extname = 'pg_cron') AS pg_cron,
       (SELECT default_version FROM pg_available_extensions WHERE name = 'pg_cron') AS pg_cron_offered,
       CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE') THEN current_setting('cron.database_name', true) END
           AS pg_cron_database,
       -- Few roles may see shared_preload_libraries. But the settings of a loaded library have a type.
       EXISTS (SELECT FROM pg_settings WHERE name = 'timescaledb.max_background_workers' AND vartype = 'integer')
           AS timescaledb_is_loaded,
       EXISTS (SELECT FROM pg_settings WHERE name = 'citus.shard_count' AND vartype = 'integer') AS citus_is_loaded

-- name: count_workers
-- The number of machines on which Citus stores data, without the coordinator.
SELECT CAST(count(*) AS integer) AS workers FROM citus_get_active_worker_nodes()

-- name: schemas
-- Whether schemas of Puppylog's names exist, and whether they are Puppylog's.
SELECT to_regnamespace('puppylog') IS NOT NULL AS has_schema,
       to_regnamespace('metrics') IS NOT NULL AS has_metrics,
       to_regclass('puppylog.installation') IS NOT NULL AND to_regclass('puppylog.schema_versions') IS NOT NULL AS is_ours

-- name: installation
SELECT flavour, drop_after_s, columnar_after_s,
       (SELECT max(version) FROM puppylog.schema_versions) AS schema_version
FROM puppylog.installation

-- name: library
-- Whether an extension's library is loaded, so that its setting has a type; and whether a restore with TimescaleDB runs.
SELECT EXISTS (SELECT FROM pg_settings WHERE name = $setting AND vartype <> 'string') AS is_loaded,
       current_setting('timescaledb.restoring', true) IS NOT DISTINCT FROM 'on' AS is_restoring

-- name: set_no_limits
-- A time limit that a role or a database has is for queries. A batch or a step of a job that exceeded it would be retried
-- for ever.
SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('statement_timeout', 'transaction_timeout')

-- name: make_durable
-- A commit is durable when it is confirmed, even if the database allows another answer: the lines' sender may delete them.
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'

-- name: may_read
-- Whether this session's role may read records.
SELECT has_table_privilege('puppylog.log_records', 'SELECT')

-- name: lock_installation
-- Only one client at a time installs or upgrades. The others wait, and then find the installation.
SELECT pg_advisory_lock(1885697639, 1)

-- name: insert_installation
INSERT INTO puppylog.installation (flavour) VALUES ($flavour)

-- name: note_version
INSERT INTO puppylog.schema_versions (version) VALUES ($version)

-- name: set_lifetimes
-- How long records are kept, and when chunks become columnar. A value that is not given stays as it is.
UPDATE puppylog.installation
SET drop_after_s = CASE WHEN $is_drop_given::boolean THEN $drop_after_s::integer ELSE drop_after_s END,
    columnar_after_s = CASE WHEN $is_columnar_given::boolean THEN $columnar_after_s::integer ELSE columnar_after_s END

-- name: tend_days
SELECT puppylog.tend_days()

-- name: longest_period
-- The metric with the longest period: records must be kept for several periods.
SELECT name, period_s FROM puppylog.metrics ORDER BY period_s DESC LIMIT 1

-- name: connection_limits
-- The limits of connections: of the server, of this role and of this database (-1: no limit).
SELECT CAST(current_setting('max_connections') AS integer) AS most,
       CAST(current_setting('superuser_reserved_connections') AS integer)
           + coalesce(CAST(current_setting('reserved_connections', true) AS integer), 0) AS reserved,
       (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS of_role,
       (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS of_database

-- name: functions_with_effects
-- Those of $words that are functions that may do more than read: volatile ones, and those that run SQL given as a text.
SELECT DISTINCT proname AS name
FROM pg_proc
WHERE proname = ANY(CAST($words AS text[])) AND proname <> ALL(CAST($harmless AS text[]))
  AND (provolatile = 'v' OR proname IN ('connectby', 'crosstab', 'crosstab2', 'crosstab3', 'crosstab4', 'crosstabn',
                                        'ts_rewrite', 'xpath_table'))
ORDER BY name

-- name: mark_session
-- Mark this session by a lock, which it loses when it ends, and when a pooler gives it to another client.
SELECT pg_advisory_lock_shared(1885697642, $mark)

-- name: is_marked
-- Whether a session with this mark exists.
SELECT EXISTS (SELECT FROM pg_locks
               WHERE locktype = 'advisory' AND granted AND (classid, objid, objsubid) = (1885697642, $mark, 2))

-- name: end_marked_session
-- Ends a lost session of this client that the server has not noticed, and waits until its locks are released. Its process
-- number does not identify it: behind a pooler, that process may serve another client by now.
SELECT pg_terminate_backend(pid, 5000) FROM pg_locks
WHERE locktype = 'advisory' AND granted AND (classid, objid, objsubid) = (1885697642, $mark, 2)
