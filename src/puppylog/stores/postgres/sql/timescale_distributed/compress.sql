-- Makes old chunks columnar, in place of TimescaleDB's policy. A transaction on a data node takes its snapshot first and
-- then waits for locks. A query that waited there until a chunk was compressed would not see the chunk's records: its
-- table is empty, and the columnar rows are newer than the snapshot. So this job locks the records on the access node, where
-- a query waits before it asks any data node. Lines wait as well, while one chunk is compressed.

CREATE OR REPLACE PROCEDURE puppylog.compress_job(job_id integer, config jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    late CONSTANT integer := 2 | 8;  -- bits of the status of a compressed chunk with records that are not compressed
    chunk record;
BEGIN
    FOR chunk IN
        SELECT shown.name, entry.status
        FROM {extension}.show_chunks('puppylog.log_records', older_than => (
                 SELECT make_interval(secs => columnar_after_s) FROM puppylog.installation
             )) AS shown (name)
        JOIN pg_class AS c ON c.oid = shown.name
        JOIN _timescaledb_catalog.chunk AS entry
          ON entry.schema_name = c.relnamespace::regnamespace::name AND entry.table_name = c.relname
        WHERE entry.status = 0 OR entry.status & late <> 0
        ORDER BY shown.name
    LOOP
        -- If a long query holds the records, the job fails, so that lines do not wait behind it. TimescaleDB retries it.
        PERFORM set_config('lock_timeout', '10s', true);
        LOCK TABLE ONLY puppylog.log_records IN ACCESS EXCLUSIVE MODE;
        IF chunk.status <> 0 THEN
            PERFORM {extension}.decompress_chunk(chunk.name, if_compressed => true);
        END IF;
        PERFORM {extension}.compress_chunk(chunk.name, if_not_compressed => true);
        COMMIT;
    END LOOP;
END
$$;

DO $$
DECLARE
    job integer := (SELECT j.job_id FROM timescaledb_information.jobs AS j
                    WHERE j.proc_schema = 'puppylog' AND j.proc_name = 'compress_job');
    is_needed boolean := (SELECT columnar_after_s IS NOT NULL FROM puppylog.installation);
BEGIN
    IF is_needed AND job IS NULL THEN
        PERFORM {extension}.alter_job(
            {extension}.add_job('puppylog.compress_job', INTERVAL '1 hour'), retry_period => INTERVAL '1 minute'
        );
    ELSIF job IS NOT NULL AND NOT is_needed THEN
        PERFORM {extension}.delete_job(job);
    END IF;
END
$$;
