-- Drops the records of groups that are kept for a shorter time than others, and rejected lines that are too old.

-- The instant before which all metrics have counted the records, at most ``at``. Later records are not dropped: a metric
-- would lose them. A metric whose refresh fails does not keep records.
CREATE OR REPLACE FUNCTION puppylog.counted_until(at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
    SELECT least(at,
                 (SELECT min(watermark) FROM puppylog.metrics WHERE kind <> 'derived' AND error IS NULL),
                 (SELECT min(low) FROM puppylog.touched_ranges),
                 (SELECT min(low) FROM puppylog.invalidations))
$$;

-- Deletes an hour of a group's records after another, for two seconds at most. The next call goes on.
CREATE OR REPLACE FUNCTION puppylog.drop_of_groups(now timestamptz DEFAULT clock_timestamp()) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
DECLARE
    kept record;
    ids integer[];
    oldest timestamptz;
    until timestamptz;
    started timestamptz := clock_timestamp();
BEGIN
    FOR kept IN SELECT g.id, r.keep_s FROM puppylog.retention_groups AS r
                JOIN puppylog.log_groups AS g ON g.name = r.group_name ORDER BY g.id
    LOOP
        ids := ARRAY(SELECT s.id FROM puppylog.log_streams AS s WHERE s.group_id = kept.id);
        until := puppylog.counted_until(now - make_interval(secs => kept.keep_s));
        LOOP
            SELECT min(r.ts) INTO oldest FROM puppylog.log_records AS r WHERE r.stream_id = ANY (ids) AND r.ts < until;
            EXIT WHEN oldest IS NULL OR clock_timestamp() NOT BETWEEN started AND started + INTERVAL '2 seconds';
            DELETE FROM puppylog.log_records AS r
            WHERE r.stream_id = ANY (ids) AND r.ts >= oldest AND r.ts < least(until, oldest + INTERVAL '1 hour');
        END LOOP;
        DELETE FROM puppylog.rejected_lines AS l
        WHERE l.stream_id = ANY (ids) AND l.rejected_at < now - make_interval(secs => kept.keep_s);
    END LOOP;
    DELETE FROM puppylog.rejected_lines AS l
    WHERE l.rejected_at < now - make_interval(secs => (SELECT drop_after_s FROM puppylog.installation));
END
$$;
