-- Makes old partitions columnar, one in each round. A columnar partition accepts late lines, but no updates and no
-- deletions. A reread makes the partitions of its records ordinary ones first, and a later round makes them columnar again.

CREATE OR REPLACE FUNCTION puppylog.turn_columnar() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
    chosen puppylog.installation;
    partition record;
BEGIN
    SELECT * INTO STRICT chosen FROM puppylog.installation;
    -- Citus copies the partition and drops the old one. Lines that are committed in between would be lost, and a COPY
    -- into Citus locks only the parent. So the parent is locked, and writers wait for one partition at most.
    IF chosen.columnar_after_s IS NULL OR NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus_columnar') THEN
        RETURN;
    END IF;
    FOR partition IN
        SELECT d.name FROM puppylog.list_days() AS d
        JOIN pg_class AS c ON c.oid = to_regclass(format('puppylog.%I', d.name))
        JOIN pg_am AS am ON am.oid = c.relam
        WHERE d.until <= now() - make_interval(secs => chosen.columnar_after_s) AND am.amname = 'heap'
        ORDER BY d.name
        LIMIT 1
    LOOP
        BEGIN
            LOCK TABLE ONLY puppylog.log_records IN SHARE ROW EXCLUSIVE MODE;
            PERFORM alter_table_set_access_method(format('puppylog.%I', partition.name)::regclass, 'columnar');
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            NULL;  -- the next round retries
        END;
    END LOOP;
END
$$;
