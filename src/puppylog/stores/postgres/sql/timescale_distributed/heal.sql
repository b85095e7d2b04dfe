-- If the access node crashes during a commit, transactions may stay prepared on the data nodes. Their rows become visible
-- when a session resolves the transactions, which TimescaleDB does not do by itself. This job runs seldom, because it
-- also resolves a transaction that is being committed: its client gets the answer a moment before the rows are visible.

CREATE OR REPLACE PROCEDURE puppylog.heal_job(job_id integer, config jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    node oid;
BEGIN
    FOR node IN
        SELECT s.oid FROM pg_foreign_server AS s JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw
        WHERE w.fdwname = 'timescaledb_fdw'
    LOOP
        PERFORM _timescaledb_functions.remote_txn_heal_data_node(node);
        COMMIT;
    END LOOP;
END
$$;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM timescaledb_information.jobs WHERE proc_schema = 'puppylog' AND proc_name = 'heal_job') THEN
        PERFORM {extension}.alter_job(
            {extension}.add_job('puppylog.heal_job', INTERVAL '10 minutes', initial_start => now() + INTERVAL '10 minutes'),
            retry_period => INTERVAL '1 minute'
        );
    END IF;
END
$$;
