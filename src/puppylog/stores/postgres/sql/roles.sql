-- Roles and their rights.

-- name: find_roles
SELECT CAST(rolname AS text) AS name FROM pg_roles WHERE rolname = ANY($names) ORDER BY rolname DESC

-- name: create_role
CREATE ROLE {role} NOLOGIN

-- name: create_role_on_data_nodes
-- A role must exist on all of TimescaleDB's nodes, and so must the logins that are its members.
CALL distributed_exec('DO $role$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ''{role}'') THEN CREATE ROLE {role} NOLOGIN; END IF;
END $role$')

-- name: let_into_data_nodes
CALL distributed_exec('GRANT USAGE ON SCHEMA puppylog TO {role}')

-- name: revoke_all
-- No other role may call the functions that run with the owner's rights, unless this is granted.
REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA puppylog FROM PUBLIC;
REVOKE ALL ON SCHEMA puppylog, metrics FROM PUBLIC;

-- name: grant_writer
-- A writer appends rows, opens its streams and files, and moves its own positions. Without a scheduler it runs the jobs.
-- It settles notifications, sets silences and acknowledges; a login that sends must be a reader, too. A server finds the
-- tokens of its clients.
GRANT USAGE ON SCHEMA puppylog TO puppylog_writer;
GRANT INSERT ON puppylog.log_records TO puppylog_writer;
GRANT INSERT ON puppylog.rejected_lines, puppylog.invalidations TO puppylog_writer;
GRANT SELECT ON puppylog.installation, puppylog.retention, puppylog.retention_groups, puppylog.schema_versions, puppylog.log_groups, puppylog.log_streams,
                puppylog.log_files TO puppylog_writer;
GRANT EXECUTE ON FUNCTION puppylog.open_streams, puppylog.set_labels, puppylog.open_files, puppylog.move_position, puppylog.check_writer,
                          puppylog.report_streams, puppylog.is_writer, puppylog.tend_days, puppylog.take_invalidations, puppylog.metrics_due,
                          puppylog.refresh_rollup, puppylog.alerts_due, puppylog.evaluate_alert, puppylog.beat,
                          puppylog.rebase_clock, puppylog.clear_notifications, puppylog.settle_notifications,
                          puppylog.set_silence, puppylog.end_silence, puppylog.acknowledge_alert,
                          puppylog.add_requests, puppylog.find_requests, puppylog.clear_requests,
                          puppylog.list_tokens, puppylog.find_tokens, puppylog.note_token_uses
TO puppylog_writer;
DO $$ BEGIN
    IF to_regproc('puppylog.make_days') IS NOT NULL THEN
        GRANT EXECUTE ON FUNCTION puppylog.make_days TO puppylog_writer;
    END IF;
    IF to_regproc('puppylog.wake_jobs') IS NOT NULL THEN
        GRANT EXECUTE ON FUNCTION puppylog.wake_jobs TO puppylog_writer;
    END IF;
END $$;

-- name: grant_reader
-- A reader reads all tables and views, including those that are created later, except hashes of tokens.
GRANT USAGE ON SCHEMA puppylog, metrics TO puppylog_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA puppylog, metrics TO puppylog_reader;
REVOKE ALL ON puppylog.access_tokens FROM puppylog_reader;
GRANT EXECUTE ON FUNCTION puppylog.list_tokens TO puppylog_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA puppylog GRANT SELECT ON TABLES TO puppylog_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA metrics GRANT SELECT ON TABLES TO puppylog_reader;
DO $$ BEGIN
    IF to_regnamespace('metrics_1d') IS NOT NULL THEN
        GRANT USAGE ON SCHEMA metrics_1m, metrics_1h, metrics_1d TO puppylog_reader;
        GRANT SELECT ON ALL TABLES IN SCHEMA metrics_1m, metrics_1h, metrics_1d TO puppylog_reader;
        ALTER DEFAULT PRIVILEGES IN SCHEMA metrics_1m, metrics_1h, metrics_1d GRANT SELECT ON TABLES TO puppylog_reader;
    END IF;
END $$;
GRANT EXECUTE ON FUNCTION puppylog.count_day, puppylog.read_metric, puppylog.floor_to, puppylog.ceil_to TO puppylog_reader;
DO $$ DECLARE routine regprocedure; BEGIN
    FOR routine IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'puppylog'::regnamespace AND proname = 'time_bucket'
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO puppylog_reader', routine);
    END LOOP;
END $$;
