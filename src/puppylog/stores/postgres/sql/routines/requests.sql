-- Requests of senders whose lines are stored. An identical request is recognized for an hour.

-- Stores requests in the transaction of their lines. Returns null, or the digest of a request that the store has already,
-- so that the caller stores nothing. If another transaction stores the same request at this moment, this waits for its
-- end. All sessions insert in the order of the digests, so that two of them do not deadlock.
CREATE OR REPLACE FUNCTION puppylog.add_requests(digests text[], answers text[], kept_s integer) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp SET lock_timeout = '30s' AS $$
DECLARE
    added text[];
BEGIN
    DELETE FROM puppylog.received_requests AS r  -- those that are not recognized any more, and that no job has deleted yet
    WHERE r.digest = ANY (digests) AND r.received_at <= now() - make_interval(secs => kept_s);
    WITH inserted AS (
        INSERT INTO puppylog.received_requests (digest, answer, received_at)
        SELECT received.digest, received.answer, now()
        FROM unnest(digests, answers) AS received (digest, answer)
        ORDER BY received.digest
        ON CONFLICT DO NOTHING
        RETURNING digest
    )
    SELECT array_agg(digest) INTO added FROM inserted;
    RETURN (
        SELECT received.digest FROM unnest(digests) AS received (digest)
        GROUP BY received.digest
        HAVING count(*) > 1 OR NOT received.digest = ANY (coalesce(added, '{}'))
        LIMIT 1
    );
END
$$;

-- Those of the requests that are recognized, with their age in seconds. A request of the future, by a clock that was set
-- back, is of now.
CREATE OR REPLACE FUNCTION puppylog.find_requests(digests text[], kept_s integer)
RETURNS TABLE (digest text, answer text, age_s double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
    SELECT r.digest, r.answer, greatest(0, EXTRACT(epoch FROM now() - r.received_at)::double precision)
    FROM puppylog.received_requests AS r
    WHERE r.digest = ANY (digests) AND r.received_at > now() - make_interval(secs => kept_s)
$$;

-- Deletes the requests that are not recognized any more. A row that a commit deletes at this moment is left to it.
CREATE OR REPLACE FUNCTION puppylog.clear_requests(kept_s integer DEFAULT 3600) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
    DELETE FROM puppylog.received_requests AS r
    WHERE r.digest IN (
        SELECT old.digest FROM puppylog.received_requests AS old
        WHERE old.received_at <= clock_timestamp() - make_interval(secs => kept_s)
        FOR UPDATE SKIP LOCKED
    )
$$;
