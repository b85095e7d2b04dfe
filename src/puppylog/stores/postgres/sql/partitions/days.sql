-- Partitions of a day. They are created ahead and on demand, filled from the default partition (log_records_rest), and
-- dropped when they are too old. All this is done under the lock (1885697639, 3), and with short lock timeouts.

CREATE OR REPLACE FUNCTION puppylog.partition_of(day date) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT 'log_records_' || to_char(day, 'YYYYMMDD') $$;

-- Whether a day gets its own partition: only days around now, so that odd dates in a log do not create many partitions.
CREATE OR REPLACE FUNCTION puppylog.has_partition(day date) RETURNS boolean
LANGUAGE sql STABLE AS $$ SELECT day BETWEEN current_date - 400 AND current_date + 3 $$;

-- Creates the partition of a day if it does not exist, and moves the day's records there from the default partition.
CREATE OR REPLACE FUNCTION puppylog.make_day(day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp
SET TimeZone = 'UTC' SET lock_timeout = '3s' AS $$
DECLARE
    partition text := puppylog.partition_of(day);
    since timestamptz := day;
    until timestamptz := day + 1;
BEGIN
    IF to_regclass('puppylog.' || partition) IS NOT NULL OR NOT puppylog.has_partition(day) THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(1885697639, 3);
    IF to_regclass('puppylog.' || partition) IS NOT NULL THEN
        RETURN;  -- another session has created it meanwhile
    END IF;
    IF EXISTS (SELECT 1 FROM puppylog.log_records_rest WHERE ts >= since AND ts < until) THEN
        -- The parent is locked, too, because a COPY into Citus locks only the parent. Otherwise lines that come between
        -- the copy and the deletion would be deleted without a copy.
        LOCK TABLE ONLY puppylog.log_records IN SHARE ROW EXCLUSIVE MODE;
        LOCK TABLE puppylog.log_records_rest IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('CREATE TABLE puppylog.%I (LIKE puppylog.log_records INCLUDING DEFAULTS)', partition);
        EXECUTE format('INSERT INTO puppylog.%I SELECT * FROM puppylog.log_records_rest WHERE ts >= $1 AND ts < $2', partition)
        USING since, until;
        DELETE FROM puppylog.log_records_rest WHERE ts >= since AND ts < until;
        EXECUTE format('ALTER TABLE puppylog.log_records ATTACH PARTITION puppylog.%I FOR VALUES FROM (%L) TO (%L)',
                       partition, since, until);
    ELSE
        EXECUTE format('CREATE TABLE puppylog.%I PARTITION OF puppylog.log_records FOR VALUES FROM (%L) TO (%L)',
                       partition, since, until);
    END IF;
END
$$;

-- Creates partitions; a collector calls this before it writes lines of these days. If a partition cannot be created now,
-- the lines go into the default partition, and `tend_days` moves them later.
CREATE OR REPLACE FUNCTION puppylog.make_days(days date[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
DECLARE
    day date;
BEGIN
    FOREACH day IN ARRAY days LOOP
        BEGIN
            PERFORM puppylog.make_day(day);
        EXCEPTION WHEN lock_not_available OR deadlock_detected OR duplicate_table THEN
            NULL;
        END;
    END LOOP;
END
$$;

-- Creates the partitions of the next days, and of days whose records are in the default partition. Drops old partitions.
CREATE OR REPLACE FUNCTION puppylog.tend_days() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp
SET TimeZone = 'UTC' SET lock_timeout = '3s' AS $$
DECLARE
    oldest timestamptz := (SELECT clock_timestamp() - make_interval(secs => drop_after_s) FROM puppylog.installation);
    partition record;
BEGIN
    PERFORM puppylog.make_days(ARRAY(SELECT current_date + ahead FROM generate_series(0, 3) AS ahead));
    PERFORM puppylog.make_days(ARRAY(
        SELECT DISTINCT CAST(ts AS date) FROM puppylog.log_records_rest
        WHERE ts >= current_date - 400 AND ts < current_date + 4
    ));
    PERFORM pg_advisory_xact_lock(1885697639, 3);
    PERFORM puppylog.turn_columnar();
    PERFORM puppylog.drop_of_groups();
    PERFORM puppylog.drop_excess();
    IF oldest IS NULL THEN
        RETURN;
    END IF;
    FOR partition IN SELECT * FROM puppylog.list_days() WHERE until <= oldest LOOP
        BEGIN
            EXECUTE format('DROP TABLE puppylog.%I', partition.name);
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            NULL;  -- the next round retries
        END;
    END LOOP;
    DELETE FROM puppylog.log_records_rest WHERE ts < oldest;
END
$$;

-- Drops the oldest days while the records of all days need more than the limit of their size. Today's records stay, and
-- those that a metric has not counted yet.
CREATE OR REPLACE FUNCTION puppylog.drop_excess(now timestamptz DEFAULT clock_timestamp()) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp
SET TimeZone = 'UTC' SET lock_timeout = '3s' AS $$
DECLARE
    most_bytes bigint := (SELECT max_bytes FROM puppylog.retention);
    last timestamptz := puppylog.counted_until(date_trunc('day', now));
    size_bytes bigint;
    days jsonb;
    day record;
BEGIN
    IF most_bytes IS NULL THEN
        RETURN;
    END IF;
    -- All sizes are read first: on Citus this is not possible after a table was dropped in the transaction.
    SELECT jsonb_agg(jsonb_build_object('name', d.name, 'until', d.until, 'bytes', puppylog.size_of(d.name)) ORDER BY d.since)
    INTO days FROM puppylog.list_days() AS d;
    size_bytes := (SELECT sum(d.bytes) FROM jsonb_to_recordset(days) AS d (bytes bigint));
    FOR day IN SELECT * FROM jsonb_to_recordset(days) AS d (name text, until timestamptz, bytes bigint) LOOP
        EXIT WHEN size_bytes <= most_bytes OR day.until > last;
        BEGIN
            EXECUTE format('DROP TABLE puppylog.%I', day.name);
            UPDATE puppylog.retention SET dropped_before = greatest(dropped_before, day.until);
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            RETURN;  -- the next round retries
        END;
        size_bytes := size_bytes - day.bytes;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION puppylog.list_days() RETURNS TABLE (name text, since timestamptz, until timestamptz)
LANGUAGE sql STABLE SET search_path = pg_catalog, puppylog, pg_temp SET TimeZone = 'UTC' AS $$
    SELECT relname, CAST(to_date(right(relname, 8), 'YYYYMMDD') AS timestamptz),
           CAST(to_date(right(relname, 8), 'YYYYMMDD') + 1 AS timestamptz)
    FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'puppylog.log_records'::regclass AND relname ~ '^log_records_[0-9]{8}$'
    ORDER BY relname
$$;

-- The same as TimescaleDB's function of this name, so that users' SQL works here, too. Weeks begin on Monday.
CREATE OR REPLACE FUNCTION puppylog.time_bucket(bucket_width interval, ts timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN extract(year FROM bucket_width) * 12 + extract(month FROM bucket_width) = 0
        THEN date_bin(bucket_width, ts, TIMESTAMPTZ '2000-01-03 00:00:00+00')
        ELSE make_timestamptz(2000, 1, 1, 0, 0, 0, 'UTC') + make_interval(months => CAST(floor(
            ((extract(year FROM ts AT TIME ZONE 'UTC') - 2000) * 12 + extract(month FROM ts AT TIME ZONE 'UTC') - 1)
            / (extract(year FROM bucket_width) * 12 + extract(month FROM bucket_width))
        ) * (extract(year FROM bucket_width) * 12 + extract(month FROM bucket_width)) AS integer))
    END
$$;

CREATE OR REPLACE FUNCTION puppylog.time_bucket(bucket_width interval, ts timestamptz, origin timestamptz)
RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT date_bin(bucket_width, ts, origin) $$;
