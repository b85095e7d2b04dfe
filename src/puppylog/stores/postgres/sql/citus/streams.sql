-- On which node a new stream is stored. All rows of a stream are in one shard, which Citus finds by the hash of its id.

-- Ids for new streams. Each one belongs to a shard with the fewest streams, on a node with the fewest streams; ids of
-- other shards are skipped. If two sessions create streams at once, the second one waits, and then counts those of the
-- first one, too.
CREATE OR REPLACE FUNCTION puppylog.new_stream_ids(amount integer) RETURNS integer[]
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
DECLARE
    shards bigint[];
    nodes integer[];    -- the group of nodes of each shard
    streams integer[];  -- the number of streams of each shard, with those that get an id here
    wanted integer[];   -- how many ids of each shard are still to be found
    chosen integer;
    id integer;
    ids integer[] := '{}';
BEGIN
    PERFORM pg_advisory_xact_lock(1885697639, 8);
    WITH stored AS (
        SELECT get_shard_id_for_distribution_column('puppylog.log_records', s.id) AS shardid, count(*) AS streams
        FROM puppylog.log_streams AS s
        GROUP BY 1
    )
    SELECT array_agg(shard.shardid), array_agg(placement.groupid), array_agg(coalesce(stored.streams, 0)),
           array_agg(0)
    INTO shards, nodes, streams, wanted
    FROM pg_dist_shard AS shard
    JOIN (SELECT p.shardid, min(p.groupid) AS groupid FROM pg_dist_placement AS p GROUP BY 1) AS placement
        ON placement.shardid = shard.shardid
    LEFT JOIN stored ON stored.shardid = shard.shardid
    WHERE shard.logicalrelid = 'puppylog.log_records'::regclass;
    FOR place IN 1 .. amount LOOP
        SELECT s.number INTO STRICT chosen
        FROM unnest(nodes, streams) WITH ORDINALITY AS s (node, streams, number)
        ORDER BY sum(s.streams) OVER (PARTITION BY s.node), s.streams, s.number
        LIMIT 1;
        streams[chosen] := streams[chosen] + 1;
        wanted[chosen] := wanted[chosen] + 1;
    END LOOP;
    WHILE cardinality(ids) < amount LOOP
        id := nextval('puppylog.ids');
        chosen := array_position(shards, get_shard_id_for_distribution_column('puppylog.log_records', id));
        IF wanted[chosen] > 0 THEN
            wanted[chosen] := wanted[chosen] - 1;
            ids := ids || id;
        END IF;
    END LOOP;
    RETURN ids;
END
$$;
