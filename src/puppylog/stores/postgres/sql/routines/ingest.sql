-- Functions for collectors, which open streams and files, and move positions. They run with the owner's rights, so that
-- the role of a collector needs no rights on these tables.

CREATE OR REPLACE FUNCTION puppylog.is_writer(writer name) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, puppylog, pg_temp AS $$
    -- The owner of the store may do everything that a writer may do.
    SELECT writer = session_user OR pg_has_role(session_user, (
        SELECT nspowner FROM pg_namespace WHERE nspname = 'puppylog'
    ), 'USAGE')
$$;

-- Ids for new streams. Citus has a function of its own, because there the id decides on which node a stream is stored.
CREATE OR REPLACE FUNCTION puppylog.new_stream_ids(amount integer) RETURNS integer[]
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
    SELECT ARRAY(SELECT nextval('puppylog.ids') FROM generate_series(1, amount))
$$;

-- Creates the streams of these sources, and their group, if they do not exist; returns the ids in the order of the
-- sources. Groups are created before streams, and streams in the order of their sources: so two sessions that create the
-- same streams at once do not deadlock.
CREATE OR REPLACE FUNCTION puppylog.open_streams(source_uris text[], group_name text) RETURNS integer[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
DECLARE
    ids integer[];
    missing text[];
    new_group integer;
BEGIN
    IF group_name IS NOT NULL THEN
        INSERT INTO puppylog.log_groups (id, name) VALUES (nextval('puppylog.ids'), group_name) ON CONFLICT DO NOTHING;
        SELECT id INTO STRICT new_group FROM puppylog.log_groups WHERE name = group_name;
    END IF;
    missing := ARRAY(
        SELECT DISTINCT uri FROM unnest(source_uris) AS uri
        WHERE NOT EXISTS (SELECT FROM puppylog.log_streams AS s WHERE s.source_uri = uri)
        ORDER BY uri
    );
    IF missing <> '{}' THEN
        INSERT INTO puppylog.log_streams (id, group_id, source_uri, writer, created_at)
        SELECT new.id, new_group, new.source_uri, session_user, now()
        FROM unnest(puppylog.new_stream_ids(cardinality(missing)), missing) AS new (id, source_uri)
        ORDER BY new.source_uri
        ON CONFLICT DO NOTHING;
    END IF;
    ids := ARRAY(
        SELECT s.id
        FROM unnest(source_uris) WITH ORDINALITY AS asked (source_uri, place)
        JOIN puppylog.log_streams AS s ON s.source_uri = asked.source_uri
        ORDER BY asked.place
    );
    PERFORM puppylog.check_writers(ids);
    IF group_name IS NOT NULL THEN
        UPDATE puppylog.log_streams SET group_id = new_group WHERE id = ANY (ids) AND group_id IS DISTINCT FROM new_group;
    END IF;
    RETURN ids;
END
$$;

-- Gives streams labels, in place of those that they have; the arrays have an element for each stream.
CREATE OR REPLACE FUNCTION puppylog.set_labels(stream_ids integer[], new_labels text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
BEGIN
    PERFORM puppylog.check_writers(ARRAY(SELECT s.id FROM puppylog.log_streams AS s WHERE s.id = ANY (stream_ids)));
    UPDATE puppylog.log_streams AS s
    SET labels = asked.labels::jsonb
    FROM unnest(stream_ids, new_labels) AS asked (stream_id, labels)
    WHERE s.id = asked.stream_id AND s.labels IS DISTINCT FROM asked.labels::jsonb;
END
$$;

-- Registers new files; the arrays have an element for each file. Returns their ids, which increase in this order.
CREATE OR REPLACE FUNCTION puppylog.open_files(
    stream_ids integer[], paths text[], devices bigint[], inodes bigint[], byte_offsets bigint[], head_hash text,
    marker_hash text
) RETURNS integer[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
DECLARE
    ids integer[] := ARRAY(SELECT nextval('puppylog.ids') FROM unnest(stream_ids));
BEGIN
    PERFORM puppylog.check_writers(stream_ids);
    INSERT INTO puppylog.log_files (id, stream_id, path, device, inode, head_size, head_hash, marker_size, marker_hash,
                                    byte_offset, finished, opened_at, moved_at)
    SELECT new.id, new.stream_id, new.path, new.device, new.inode, 0, head_hash, 0, marker_hash, new.byte_offset, false,
           now(), now()
    FROM unnest(ids, stream_ids, paths, devices, inodes, byte_offsets)
        AS new (id, stream_id, path, device, inode, byte_offset);
    RETURN ids;
END
$$;

CREATE OR REPLACE FUNCTION puppylog.check_writers(streams integer[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
BEGIN
    PERFORM puppylog.check_writer(stream) FROM (SELECT DISTINCT unnest(streams)) AS asked (stream);
END
$$;

CREATE OR REPLACE FUNCTION puppylog.check_writer(stream integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
DECLARE
    found puppylog.log_streams;
BEGIN
    SELECT * INTO found FROM puppylog.log_streams AS s WHERE s.id = stream;
    IF NOT puppylog.is_writer(found.writer) THEN
        RAISE insufficient_privilege
            USING MESSAGE = format('stream %s belongs to role %s, not to %s', found.source_uri, found.writer, session_user),
                  HINT = format('collect it as %s, or as the owner of the store', found.writer);
    END IF;
END
$$;

-- Moves a position from ``since`` to ``until``. Returns null, or the position if it is not ``since``; -1 for an unknown
-- file. The row stays locked until the transaction ends, so the batch of a second collector waits and is then refused. It
-- waits for at most half a minute, because a session whose connection was cut keeps its locks until the server notices.
CREATE OR REPLACE FUNCTION puppylog.move_position(
    stream integer, file integer, since bigint, until bigint, new_head_size integer, new_head_hash text,
    new_marker_size integer, new_marker_hash text, is_finished boolean, new_context text
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp SET lock_timeout = '30s' AS $$
DECLARE
    stands bigint;
BEGIN
    PERFORM puppylog.check_writer(stream);
    UPDATE puppylog.log_files AS files
    SET byte_offset = until, head_size = new_head_size, head_hash = new_head_hash, marker_size = new_marker_size,
        marker_hash = new_marker_hash, finished = is_finished, context = new_context, moved_at = now()
    WHERE files.stream_id = stream AND files.id = file AND files.byte_offset = since AND NOT files.finished;
    IF FOUND THEN
        RETURN NULL;
    END IF;
    SELECT files.byte_offset INTO stands FROM puppylog.log_files AS files
    WHERE files.stream_id = stream AND files.id = file;
    RETURN coalesce(stands, -1);
END
$$;

-- Stores a collector's reports. Reports about other collectors' streams are ignored. Times come as ages in seconds, so
-- that no clock of a client is compared with the server's.
CREATE OR REPLACE FUNCTION puppylog.report_streams(
    stream_ids integer[], backlogs_bytes bigint[], behinds_s double precision[], stored_ago_s double precision[],
    lines_per_s double precision[], records bigint[], rejects bigint[], formats text[], problems text[], ended boolean[],
    waiting_lines bigint[], finished boolean[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
    own name[] := ARRAY(
        SELECT w.writer FROM (SELECT DISTINCT s.writer FROM puppylog.log_streams AS s) AS w
        WHERE puppylog.is_writer(w.writer)
    );
BEGIN
    -- The next report comes soon, so this one need not wait for the disk. The setting is only for this transaction.
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO puppylog.stream_reports AS known (
        stream_id, reported_at, stored_at, behind_since, backlog_bytes, lines_per_s, records, rejects, format, problem,
        ended, waiting_lines, finished
    )
    SELECT told.stream_id, now(), now() - make_interval(secs => told.stored_ago_s),
           now() - make_interval(secs => told.behind_s), told.backlog_bytes, told.lines_per_s, told.records,
           told.rejects, told.format, told.problem, told.ended, told.waiting_lines, told.finished
    FROM unnest(
        stream_ids, backlogs_bytes, behinds_s, stored_ago_s, lines_per_s, records, rejects, formats, problems, ended,
        waiting_lines, finished
    ) AS told (
        stream_id, backlog_bytes, behind_s, stored_ago_s, lines_per_s, records, rejects, format, problem, ended,
        waiting_lines, finished
    )
    JOIN puppylog.log_streams AS streams ON streams.id = told.stream_id AND streams.writer = ANY (own)
    ORDER BY told.stream_id
    ON CONFLICT (stream_id) DO UPDATE SET
        reported_at = excluded.reported_at, stored_at = excluded.stored_at, behind_since = excluded.behind_since,
        backlog_bytes = excluded.backlog_bytes, lines_per_s = excluded.lines_per_s, records = excluded.records,
        rejects = excluded.rejects,
        -- A collector that has read no line does not know the format; an earlier collector did.
        format = CASE WHEN excluded.format = '' THEN known.format ELSE excluded.format END, problem = excluded.problem,
        ended = excluded.ended, waiting_lines = excluded.waiting_lines, finished = excluded.finished;
END
$$;
