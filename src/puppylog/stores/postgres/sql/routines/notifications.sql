-- What is kept of the transitions of alerts for people: sample records (evidence), and a row per contact in the outbox.
-- judge_alert calls note_transitions in the transaction that records the transitions. stores/duckdb/engine/evidence.py
-- and model/outbox.py do the same for the embedded store; a property test compares the outbox with model/outbox.py.
--
-- The functions for clients run with the owner's rights, so that a role that calls them needs no rights on the tables.

-- The columns of a record that are not null, without its instant and its place. Long texts are cut, and attributes that
-- are too long are left out; ``cut`` has the names of these columns. The argument is JSON, because Citus creates functions
-- on its workers, too, which do not have the table's type.
CREATE OR REPLACE FUNCTION puppylog.copy_record(record jsonb) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, puppylog, pg_temp AS $$
    SELECT coalesce(jsonb_object_agg(key, CASE WHEN is_cut THEN to_jsonb(left(value #>> '{}', 4096)) ELSE value END)
                    FILTER (WHERE NOT is_cut OR key <> 'attributes'), '{}')
           || CASE WHEN bool_or(is_cut) THEN jsonb_build_object('cut', jsonb_agg(key ORDER BY key) FILTER (WHERE is_cut))
                   ELSE '{}' END
    FROM (
        SELECT key, value, CASE WHEN key = 'attributes' THEN length(CAST(value AS text)) > 16384
                                ELSE length(value #>> '{}') > 4096 END AS is_cut
        FROM jsonb_each(copy_record.record)
        WHERE key NOT IN ('ts', 'stream_id', 'file_id', 'line_offset') AND value <> 'null'
    ) AS columns
$$;

-- Adds up to ten sample records to a transition, the newest first. The window is searched from its end, in slices of time
-- whose size depends on how long a slice takes. No slice is begun after ``deadline``; the answer then says what was not
-- searched. Null: the whole window was searched, or ten records were found.
CREATE OR REPLACE FUNCTION puppylog.add_samples(
    history_id bigint, query text, streams integer[], is_each boolean, segment text, since timestamptz,
    until timestamptz, deadline timestamptz
) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, puppylog, pg_temp
SET standard_conforming_strings = on SET transform_null_equals = off AS $$
DECLARE
    most CONSTANT integer := 10;
    slice interval := '1 minute';
    slice_until timestamptz := until;
    started timestamptz;
    took interval;
    found integer := 0;
    sample puppylog.log_records;
BEGIN
    WHILE found < most AND slice_until > since LOOP
        started := clock_timestamp();
        IF started >= deadline THEN
            RETURN format('records before %s were not searched, to save time',
                          to_char(slice_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'));
        END IF;
        FOR sample IN EXECUTE query USING greatest(since, slice_until - slice), slice_until, streams, NOT is_each, segment,
                                          most - found
        LOOP
            found := found + 1;
            INSERT INTO puppylog.alert_evidence (history_id, place, ts, stream_id, file_id, line_offset, record, recorded_at)
            VALUES (add_samples.history_id, found, sample.ts, sample.stream_id, sample.file_id, sample.line_offset,
                    puppylog.copy_record(to_jsonb(sample)), now());
        END LOOP;
        slice_until := slice_until - slice;
        took := clock_timestamp() - started;
        slice := CASE WHEN took < interval '20 ms' THEN slice * 4 WHEN took < interval '80 ms' THEN slice
                      ELSE greatest(slice / 2, interval '1 second') END;
    END LOOP;
    RETURN NULL;
END
$$;

-- Adds sample records to the newest transitions to firing. An error is stored with the transitions and not raised.
CREATE OR REPLACE FUNCTION puppylog.add_evidence(alert puppylog.alerts, metric puppylog.metrics, ids bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, puppylog, pg_temp AS $$
DECLARE
    -- The limits of one evaluation: transitions that get samples, and the time for all of them.
    most CONSTANT integer := 100;
    deadline CONSTANT timestamptz := clock_timestamp() + interval '500 ms';
    streams CONSTANT integer[] := ARRAY(SELECT s.id FROM puppylog.log_streams AS s WHERE s.group_id = metric.group_id);
    turn record;
    searched bigint[] := '{}';
    omitted text;
    failure text := CASE WHEN metric.samples IS NULL THEN 'the store has no query of the records of this metric' END;
BEGIN
    FOR turn IN
        SELECT h.id, h.segment, h.window_since, h.window_until FROM puppylog.alert_history AS h
        WHERE h.id = ANY(ids) AND h.to_state = 'firing'
        ORDER BY h.evaluated_at DESC, h.id
        LIMIT most
    LOOP
        omitted := failure;
        IF failure IS NULL THEN
            BEGIN
                omitted := puppylog.add_samples(turn.id, metric.samples, streams, alert.each_segment, turn.segment,
                                                turn.window_since, turn.window_until, deadline);
            EXCEPTION WHEN OTHERS OR query_canceled THEN -- the other transitions would fail in the same way
                failure := format('the search failed: %s', regexp_replace(SQLERRM, '\s+', ' ', 'g'));
                omitted := failure;
            END;
        END IF;
        IF omitted IS NOT NULL THEN
            UPDATE puppylog.alert_history AS h SET evidence_omitted = omitted WHERE h.id = turn.id;
        END IF;
        searched := array_append(searched, turn.id);
    END LOOP;
    IF cardinality(searched) = most THEN
        UPDATE puppylog.alert_history AS h
        SET evidence_omitted = format('only the newest %s transitions of an evaluation have sample records', most)
        WHERE h.id = ANY(ids) AND h.to_state = 'firing' AND h.id <> ALL(searched);
    END IF;
END
$$;

-- Adds rows to the outbox, by the rule of model/outbox.py, for the transitions ``ids`` of an alert, in their order. The
-- segments ``forgotten`` are not judged any more since the evaluation at ``at``: their contacts get a last resolved row.
CREATE OR REPLACE FUNCTION puppylog.add_notifications(
    alert puppylog.alerts, ids bigint[], forgotten text[], at timestamptz
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, puppylog, pg_temp AS $$
BEGIN
    IF alert.contacts = '[]' AND NOT EXISTS (SELECT FROM puppylog.notifications AS n WHERE n.alert_id = alert.id) THEN
        RETURN;
    END IF;
    WITH contacts AS (
        SELECT name, no FROM jsonb_array_elements_text(CAST(alert.contacts AS jsonb)) WITH ORDINALITY AS c (name, no)
    ), gone AS (
        SELECT g.segment FROM unnest(forgotten) AS g (segment)
    ), turns AS (
        SELECT *, row_number() OVER (ORDER BY id NULLS LAST, segment NULLS LAST) AS place
        FROM (
            SELECT h.id, h.segment COLLATE "C" AS segment, h.evaluated_at, h.to_state, h.value, NULL AS reason
            FROM puppylog.alert_history AS h
            WHERE h.id = ANY(ids) AND h.to_state <> 'pending'
              AND NOT (h.to_state = 'no_data' AND h.evaluated_at = at AND EXISTS (
                  SELECT FROM gone AS g WHERE g.segment IS NOT DISTINCT FROM h.segment))
            UNION ALL
            SELECT NULL, g.segment COLLATE "C", at, 'ok', NULL, 'it was not observed for 24 hours and is not judged any more'
            FROM gone AS g
        ) AS told
    ), numbered AS (
        -- An episode ends with a transition to ok.
        SELECT *, count(*) FILTER (WHERE to_state = 'ok') OVER (
                   PARTITION BY segment ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS episode
        FROM turns
    ), begun AS (
        SELECT *, min(evaluated_at) FILTER (WHERE to_state <> 'ok') OVER (PARTITION BY segment, episode) AS begun_at
        FROM numbered
    ), unresolved AS (
        SELECT newest.segment, newest.contact, newest.episode_at
        FROM (
            SELECT DISTINCT ON (n.segment, n.contact) n.segment COLLATE "C" AS segment, n.contact, n.kind, n.episode_at
            FROM puppylog.notifications AS n
            WHERE n.alert_id = alert.id
            ORDER BY n.segment, n.contact, n.id DESC
        ) AS newest
        WHERE newest.kind <> 'resolved'
    ), told AS (
        SELECT b.*, c.name AS contact, c.no, b.to_state AS kind, coalesce(u.episode_at, b.begun_at) AS episode_at
        FROM begun AS b
        CROSS JOIN contacts AS c
        LEFT JOIN unresolved AS u
          ON b.episode = 0 AND u.contact = c.name AND coalesce(u.segment, '') = coalesce(b.segment, '')
         AND (u.segment IS NULL) = (b.segment IS NULL)
        WHERE b.to_state <> 'ok'
        UNION ALL
        SELECT b.*, u.contact, c.no, 'resolved', u.episode_at
        FROM begun AS b
        JOIN unresolved AS u
          ON coalesce(u.segment, '') = coalesce(b.segment, '') AND (u.segment IS NULL) = (b.segment IS NULL)
        LEFT JOIN contacts AS c ON c.name = u.contact
        WHERE b.to_state = 'ok' AND b.episode = 0
        UNION ALL
        SELECT b.*, c.name, c.no, 'resolved', b.begun_at
        FROM begun AS b
        CROSS JOIN contacts AS c
        LEFT JOIN unresolved AS u
          ON b.episode = 0 AND u.contact = c.name AND coalesce(u.segment, '') = coalesce(b.segment, '')
         AND (u.segment IS NULL) = (b.segment IS NULL)
        WHERE b.to_state = 'ok' AND b.begun_at IS NOT NULL AND u.contact IS NULL
    )
    INSERT INTO puppylog.notifications (id, history_id, alert_id, alert, segment, contact, kind, evaluated_at, episode_at,
                                        value, reason, state, due_at, attempts, created_at)
    SELECT nextval('puppylog.notification_ids'), t.id, alert.id, alert.name, t.segment, t.contact, t.kind, t.evaluated_at,
           t.episode_at, t.value, t.reason, 'waiting', now() + make_interval(secs => alert.group_wait_s), 0, now()
    FROM (SELECT * FROM told ORDER BY place, no NULLS FIRST, contact COLLATE "C") AS t;
END
$$;

-- Adds evidence and rows of the outbox for the transitions ``ids``, which were recorded in this transaction.
CREATE OR REPLACE FUNCTION puppylog.note_transitions(
    alert puppylog.alerts, metric puppylog.metrics, ids bigint[], forgotten text[], at timestamptz
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, puppylog, pg_temp AS $$
BEGIN
    PERFORM puppylog.add_evidence(alert, metric, ids);
    PERFORM puppylog.add_notifications(alert, ids, forgotten, at);
END
$$;

-- Deletes evidence and rows of the outbox that are 90 days old. The newest row of an alert, segment and contact stays if
-- it is a problem, because a resolved row must follow it. An acknowledgement is deleted when its state has ended.
CREATE OR REPLACE FUNCTION puppylog.clear_notifications(now timestamptz DEFAULT clock_timestamp()) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
DECLARE
    oldest CONSTANT timestamptz := clear_notifications.now - interval '90 days';
BEGIN
    DELETE FROM puppylog.alert_evidence AS e WHERE e.recorded_at < oldest;
    DELETE FROM puppylog.notifications AS n
    WHERE n.created_at < oldest AND (n.kind = 'resolved' OR EXISTS (
        SELECT FROM puppylog.notifications AS later
        WHERE later.alert_id = n.alert_id AND later.id > n.id AND later.contact = n.contact
          AND later.segment IS NOT DISTINCT FROM n.segment
    ));
    DELETE FROM puppylog.silences AS s WHERE s.ends_at < oldest;
    DELETE FROM puppylog.acknowledgements AS a
    WHERE NOT EXISTS (
        SELECT FROM puppylog.alert_states AS s
        WHERE s.alert_id = a.alert_id AND s.segment IS NOT DISTINCT FROM a.segment AND s.state IN ('firing', 'no_data')
    );
END
$$;

-- Stores what became of rows of the outbox. A row that was dropped stays as it is, and a row that is dead waits again if a
-- person wants so. A row that was sent changes only if it was sent again.
CREATE OR REPLACE FUNCTION puppylog.settle_notifications(
    ids bigint[], states text[], ats timestamptz[], attempts integer[], errors text[], due_ats timestamptz[]
) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
    UPDATE puppylog.notifications AS n
    SET state = o.state, attempts = o.attempts, error = o.error, due_at = coalesce(o.due_at, n.due_at),
        tried_at = CASE WHEN o.state = 'dropped' THEN n.tried_at ELSE o.at END,
        sent_at = CASE WHEN o.state = 'sent' THEN o.at ELSE n.sent_at END
    FROM unnest(ids, states, ats, settle_notifications.attempts, errors, due_ats)
        AS o (id, state, at, attempts, error, due_at)
    WHERE n.id = o.id AND (n.state = 'waiting' OR (n.state, o.state) IN (('sent', 'sent'), ('dead', 'waiting')))
$$;

-- Creates a silence, or replaces the silence of its name; returns whether anything has changed.
CREATE OR REPLACE FUNCTION puppylog.set_silence(
    name text, alert text, segment text, starts_at timestamptz, ends_at timestamptz, author text, comment text,
    is_declared boolean
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
BEGIN
    INSERT INTO puppylog.silences AS s (id, name, alert, segment, starts_at, ends_at, author, comment, is_declared, created_at)
    VALUES (nextval('puppylog.ids'), set_silence.name, set_silence.alert, set_silence.segment, set_silence.starts_at,
            set_silence.ends_at, set_silence.author, set_silence.comment, set_silence.is_declared, clock_timestamp())
    ON CONFLICT ON CONSTRAINT silences_name_key DO UPDATE
    SET alert = excluded.alert, segment = excluded.segment, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
        author = excluded.author, comment = excluded.comment, is_declared = excluded.is_declared
    WHERE (s.alert, s.segment, s.starts_at, s.ends_at, s.author, s.comment, s.is_declared) IS DISTINCT FROM
          (excluded.alert, excluded.segment, excluded.starts_at, excluded.ends_at, excluded.author, excluded.comment,
           excluded.is_declared);
    RETURN FOUND;
END
$$;

-- Ends a silence at ``at`` unless it ends before, and deletes it if it has not begun then; returns whether it exists.
CREATE OR REPLACE FUNCTION puppylog.end_silence(name text, at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
BEGIN
    DELETE FROM puppylog.silences AS s WHERE s.name = end_silence.name AND s.starts_at >= end_silence.at;
    IF FOUND THEN
        RETURN true;
    END IF;
    UPDATE puppylog.silences AS s SET ends_at = least(s.ends_at, end_silence.at) WHERE s.name = end_silence.name;
    RETURN FOUND;
END
$$;

-- Records that a person has seen the problems of an alert, or of one segment; returns their number.
CREATE OR REPLACE FUNCTION puppylog.acknowledge_alert(
    id integer, segment text, author text, comment text
) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
DECLARE
    seen puppylog.alert_states;
    count integer := 0;
BEGIN
    FOR seen IN
        SELECT s.* FROM puppylog.alert_states AS s
        WHERE s.alert_id = acknowledge_alert.id AND s.state IN ('firing', 'no_data')
          AND (acknowledge_alert.segment IS NULL OR s.segment = acknowledge_alert.segment)
    LOOP
        DELETE FROM puppylog.acknowledgements AS a
        WHERE a.alert_id = seen.alert_id AND a.segment IS NOT DISTINCT FROM seen.segment;
        INSERT INTO puppylog.acknowledgements (alert_id, segment, history_id, author, comment, acknowledged_at)
        SELECT seen.alert_id, seen.segment, coalesce(max(h.id), 0), acknowledge_alert.author, acknowledge_alert.comment,
               clock_timestamp()
        FROM puppylog.alert_history AS h
        WHERE h.alert_id = seen.alert_id AND h.segment IS NOT DISTINCT FROM seen.segment;
        count := count + 1;
    END LOOP;
    RETURN count;
END
$$;
