-- Alerts: the rule of model/alert_rule.py in SQL, and the evaluator, which runs in the server.
--
-- The rule is a pure function, and a property test compares it with the model's. Due evaluations are done in order, by
-- one evaluator at a time, under the lock (1885697639, 2). alerts_due, evaluate_alert and beat run with the owner's
-- rights, so that a role that calls them needs no rights on the tables.

-- The value that an alert observes in a window of n observations, whose sum, minimum and maximum are ``total``,
-- ``lowest`` and ``highest``. Null if there is no observation, or if the value is not finite. ``buckets`` is the number
-- of buckets in the window.
CREATE OR REPLACE FUNCTION puppylog.observe_window(
    statistic text, metric_statistic text, buckets integer, n bigint,
    total double precision, lowest double precision, highest double precision
) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    -- One expression, so that the planner can inline the function.
    SELECT nullif(nullif(nullif(CASE
        WHEN n = 0 THEN NULL
        WHEN statistic = 'sum' THEN total
        -- A missing bucket of a count or a rate is zero, because nothing happened. A missing bucket of another metric is
        -- ignored.
        WHEN statistic = 'avg' THEN
            total / CASE WHEN metric_statistic IN ('count', 'rate') THEN greatest(n, buckets) ELSE n END
        WHEN statistic = 'min' THEN
            CASE WHEN metric_statistic IN ('count', 'rate') AND n < buckets THEN least(lowest, 0) ELSE lowest END
        WHEN statistic = 'max' THEN
            CASE WHEN metric_statistic IN ('count', 'rate') AND n < buckets THEN greatest(highest, 0) ELSE highest END
    END, 'NaN'), 'Infinity'), '-Infinity')
$$;

-- The status after the evaluation at ``at``, which observed the value ``observed``, or nothing if it is null.
-- Evaluations must come in order.
CREATE OR REPLACE FUNCTION puppylog.step_alert(
    definition puppylog.alerts, before puppylog.alert_states, observed double precision, at timestamptz
) RETURNS puppylog.alert_states
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    status puppylog.alert_states := before;
    is_crossed boolean; -- null: unknown, because nothing was observed
    next_state text;
BEGIN
    IF observed IS NOT NULL THEN
        status.seen_at := at;
    ELSIF definition.no_data = 'zero' THEN
        observed := 0;
    END IF;
    status.value := observed;
    status.evaluated_at := at;
    is_crossed := CASE
        WHEN observed IS NULL THEN CASE definition.no_data WHEN 'ok' THEN false WHEN 'alert' THEN true END
        WHEN definition.comparison = '>' THEN observed > definition.level
        WHEN definition.comparison = '>=' THEN observed >= definition.level
        WHEN definition.comparison = '<' THEN observed < definition.level
        WHEN definition.comparison = '<=' THEN observed <= definition.level
    END;
    next_state := CASE
        WHEN is_crossed IS NULL THEN CASE WHEN definition.no_data = 'keep' THEN status.state ELSE 'no_data' END
        WHEN is_crossed AND status.state = 'firing' THEN 'firing'
        WHEN is_crossed AND status.state = 'pending' THEN
            CASE WHEN at - status.since >= make_interval(secs => definition.for_s) THEN 'firing' ELSE 'pending' END
        WHEN is_crossed THEN CASE WHEN definition.for_s > 0 THEN 'pending' ELSE 'firing' END
        WHEN status.state = 'firing' AND at - coalesce(status.clear_since, at)
                                         < make_interval(secs => definition.keep_firing_for_s) THEN 'firing'
        ELSE 'ok'
    END;
    IF next_state <> status.state THEN
        status.state := next_state;
        status.since := at;
        status.clear_since := NULL;
    ELSIF next_state = 'firing' AND is_crossed IS NOT NULL THEN
        status.clear_since := CASE WHEN NOT is_crossed THEN coalesce(status.clear_since, at) END;
    END IF;
    RETURN status;
END
$$;

-- The largest number of segments that an alert judges one by one. The other segments are only counted.
CREATE OR REPLACE FUNCTION puppylog.most_segments() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT 20000 $$;

-- The values that several evaluations observe, the first evaluation at ``first_at``: for each segment that has a state,
-- and then for new segments, up to most_segments() in all. A new segment has rows from the first evaluation that
-- observes it; earlier evaluations do not judge it. Each row has the number of segments that are not judged.
CREATE OR REPLACE FUNCTION puppylog.observe_alert(
    alert puppylog.alerts, metric puppylog.metrics, first_at timestamptz, evaluations integer
) RETURNS TABLE (segment text, evaluated_at timestamptz, observed double precision, unjudged bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    last_at timestamptz := first_at + make_interval(secs => alert.period_s) * (evaluations - 1);
    delay interval := make_interval(secs => alert.delay_s);
    -- If all segments are judged together, the observations of a count, a rate or a sum are added up per bucket first,
    -- and so are both parts of a ratio. Observations of other statistics cannot be added up, so each counts by itself.
    adds_up boolean := NOT alert.each_segment AND metric.statistic IN ('count', 'rate', 'sum', 'ratio');
    -- The average of a ratio is the share in all records of the window: part / whole.
    is_weighted boolean := metric.statistic = 'ratio' AND alert.statistic = 'avg';
BEGIN
    -- A bucket is in the windows of all evaluations from its end plus the delay on, for the length of a window. So
    -- observations that enter and leave the windows together are aggregated once, as a pane, and windows are computed
    -- from panes. Only the aggregate that the alert's statistic needs is computed: an overflow of the sum must not fail
    -- an alert on the maximum.
    RETURN QUERY EXECUTE format($query$
        WITH observations AS (
            SELECT date_part('epoch', bucket) + $3 - date_part('epoch', $1) AS judged_s, %2$s AS segment, %3$s AS value,
                   %7$s AS whole
            FROM metrics.%1$I
            WHERE bucket >= $4 AND bucket < $5
            %4$s
        ), numbered AS (
            SELECT greatest(0, ceil(judged_s / $6))::integer AS first_no,
                   least($2, ceil((judged_s + $7) / $6))::integer AS end_no, segment, value, whole
            FROM observations
        ), panes AS (
            SELECT segment, first_no, end_no, %8$s AS n, %5$s(value) AS value
            FROM numbered
            WHERE first_no < end_no
            GROUP BY segment, first_no, end_no
            HAVING count(value) > 0
        ), seen AS (
            SELECT segment, first_no, row_number() OVER (ORDER BY is_known DESC, first_no, segment) AS place
            FROM (
                SELECT segment, min(first_no) AS first_no, bool_or(is_known) AS is_known
                FROM (SELECT segment, first_no, false AS is_known FROM panes UNION ALL %6$s) AS known
                GROUP BY segment
            ) AS grouped
        ), lives AS (
            SELECT segment, first_no FROM seen WHERE place <= puppylog.most_segments()
        ), parts AS (
            SELECT panes.segment, generate_series(panes.first_no, end_no - 1) AS evaluation_no, n, value
            FROM panes
            JOIN lives ON coalesce(lives.segment, '') = coalesce(panes.segment, '')
                      AND (lives.segment IS NULL) = (panes.segment IS NULL)
            UNION ALL
            SELECT segment, generate_series(first_no, $2 - 1), 0, NULL FROM lives
        ), windows AS (
            SELECT segment, evaluation_no, sum(n)::bigint AS n, %5$s(value) AS value
            FROM parts
            GROUP BY segment, evaluation_no
        )
        SELECT segment, $1 + evaluation_no * make_interval(secs => $6),
               puppylog.observe_window($8, $9, $10, n, value, value, value),
               (SELECT greatest(0, count(*) - puppylog.most_segments()) FROM seen)
        FROM windows
        $query$,
        metric.name,
        CASE WHEN alert.each_segment THEN 'segment COLLATE "C"' ELSE 'NULL::text COLLATE "C"' END,
        CASE WHEN is_weighted THEN 'CAST(' || CASE WHEN adds_up THEN 'sum(part)' ELSE 'part' END || ' AS double precision)'
             WHEN adds_up AND metric.statistic = 'ratio'
             THEN 'CAST(sum(part) AS double precision) / CAST(sum(whole) AS double precision)'
             WHEN adds_up THEN 'sum(value)' ELSE 'value' END,
        CASE WHEN adds_up THEN 'GROUP BY bucket' ELSE '' END,
        CASE WHEN alert.statistic IN ('min', 'max') THEN alert.statistic ELSE 'sum' END,
        CASE WHEN alert.each_segment
             THEN 'SELECT segment COLLATE "C", 0, true FROM puppylog.alert_states WHERE alert_id = $11'
             ELSE 'SELECT NULL, 0, true' END,
        CASE WHEN is_weighted AND adds_up THEN 'sum(whole)' WHEN is_weighted THEN 'whole' ELSE '0' END,
        CASE WHEN is_weighted THEN 'sum(whole)' ELSE 'count(value)' END
    ) USING first_at, evaluations, metric.period_s + alert.delay_s,
            puppylog.floor_to(first_at - delay, metric.period_s) - make_interval(secs => alert.window_s),
            puppylog.floor_to(last_at - delay, metric.period_s),
            alert.period_s, alert.window_s, alert.statistic, metric.statistic, alert.window_s / metric.period_s,
            alert.id;
END
$$;

-- Does the work of evaluate_alert, and raises errors.
CREATE OR REPLACE FUNCTION puppylog.judge_alert(alert puppylog.alerts, until timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    -- The limits of catching up: missed evaluations of so many seconds, and so many evaluations of single segments.
    -- Older evaluations are skipped. The same numbers are in model/alert_schedule.py.
    catch_up_s CONSTANT integer := 7 * 86400;
    most_judgements CONSTANT bigint := 2000000;
    -- The limits of one call: evaluations, and observations in all their windows together.
    most_evaluations CONSTANT bigint := 2000;
    most_observations CONSTANT bigint := 5000000;
    -- An evaluation later than its period and this was missed, and is marked so. A busy store may be a little late.
    missed_after CONSTANT interval := '10 seconds';
    -- The state of a segment that was not observed for so long is deleted. Segments come from log lines, so a client
    -- that always sends new ones would make the states grow without limit. A firing segment first changes to no_data.
    forget_after CONSTANT interval := '24 hours';
    period interval := make_interval(secs => alert.period_s);
    first_at timestamptz := puppylog.floor_to(alert.evaluated_at, alert.period_s) + period;
    last_at timestamptz;
    metric puppylog.metrics;
    due bigint;
    caught_up bigint;
    evaluations bigint;
    segments bigint;
    unjudged bigint := 0;
    found record;
    place tid; -- the row of the segment's state, if any; no other session changes states while this one has the lock
    before puppylog.alert_states;
    status puppylog.alert_states;
    transition puppylog.alert_history;
    transitions puppylog.alert_history[] := '{}';
    forgotten text[] := '{}'; -- segments whose state is deleted
    gone text[] := '{}'; -- segments that are streams whose file is gone
    ids bigint[]; -- of the transitions
BEGIN
    IF first_at > until THEN
        RETURN false;
    END IF;
    SELECT m.* INTO STRICT metric FROM puppylog.metrics AS m WHERE m.id = alert.metric_id;
    IF alert.each_segment AND metric.segment = 'stream_id' THEN
        -- No line can come to a stream whose file is gone and read to its end, so such a stream is not silent. A firing
        -- segment stays, so that people are told of its end.
        gone := ARRAY(SELECT r.stream_id::text FROM puppylog.stream_reports AS r WHERE r.finished);
        DELETE FROM puppylog.alert_states AS s
        WHERE s.alert_id = alert.id AND s.state <> 'firing' AND s.segment = ANY (gone);
    END IF;
    SELECT greatest(1, count(*)) INTO segments FROM puppylog.alert_states AS s WHERE s.alert_id = alert.id;
    due := floor(EXTRACT(epoch FROM until - first_at) / alert.period_s) + 1;
    caught_up := least(due, greatest(1, catch_up_s / alert.period_s), greatest(1, most_judgements / segments));
    IF caught_up < due THEN
        UPDATE puppylog.alerts AS a -- adjacent ranges of skipped evaluations become one
        SET skipped_since = CASE WHEN a.skipped_until >= first_at - period THEN a.skipped_since ELSE first_at - period END,
            skipped_until = first_at + period * (due - caught_up - 1)
        WHERE a.id = alert.id;
        first_at := first_at + period * (due - caught_up);
    END IF;
    evaluations := least(caught_up, most_evaluations,
                         greatest(1, most_observations / (segments * (alert.window_s / metric.period_s))));
    last_at := first_at + period * (evaluations - 1);
    -- For each segment the state comes first, if there is one, and then the windows in order, always up to the last.
    FOR found IN
        SELECT s.segment COLLATE "C" AS segment, NULL::timestamptz AS evaluated_at, NULL::double precision AS observed,
               s.ctid AS place, s AS status, NULL::bigint AS unjudged
        FROM puppylog.alert_states AS s WHERE s.alert_id = alert.id
        UNION ALL
        SELECT o.segment COLLATE "C", o.evaluated_at, o.observed, NULL, NULL, o.unjudged
        FROM puppylog.observe_alert(alert, metric, first_at, evaluations::integer) AS o
        ORDER BY segment, evaluated_at NULLS FIRST
    LOOP
        IF found.evaluated_at IS NULL THEN
            place := found.place;
            status := found.status;
            CONTINUE;
        END IF;
        unjudged := found.unjudged;
        IF found.observed IS NULL AND found.segment = ANY (gone) AND coalesce(status.state, 'ok') <> 'firing' THEN
            place := NULL;
            status := NULL;
            CONTINUE;
        END IF;
        IF status.alert_id IS NULL THEN
            status.alert_id := alert.id;
            status.segment := found.segment;
            status.state := 'ok';
            status.since := found.evaluated_at;
        END IF;
        before := status;
        status := puppylog.step_alert(alert, before, found.observed, found.evaluated_at);
        IF status.state <> before.state THEN
            transition.segment := status.segment;
            transition.evaluated_at := status.evaluated_at;
            transition.from_state := before.state;
            transition.to_state := status.state;
            transition.value := status.value;
            transition.window_until := puppylog.floor_to(
                status.evaluated_at - make_interval(secs => alert.delay_s), metric.period_s);
            transitions := array_append(transitions, transition);
        END IF;
        CONTINUE WHEN found.evaluated_at < last_at;
        IF alert.each_segment AND last_at - status.seen_at > forget_after
           AND (status.state IN ('ok', 'no_data') OR status.state = 'firing' AND alert.no_data <> 'keep') THEN
            IF status.state = 'firing' THEN
                transition.segment := status.segment;
                transition.evaluated_at := last_at;
                transition.from_state := 'firing';
                transition.to_state := 'no_data';
                transition.value := status.value;
                transition.window_until := puppylog.floor_to(
                    last_at - make_interval(secs => alert.delay_s), metric.period_s);
                transitions := array_append(transitions, transition);
            END IF;
            DELETE FROM puppylog.alert_states AS s WHERE s.ctid = place;
            forgotten := array_append(forgotten, status.segment);
        ELSIF place IS NOT NULL THEN
            UPDATE puppylog.alert_states AS s
            SET state = status.state, since = status.since, clear_since = status.clear_since, value = status.value,
                evaluated_at = status.evaluated_at, seen_at = status.seen_at
            WHERE s.ctid = place;
        ELSE
            INSERT INTO puppylog.alert_states SELECT status.*;
        END IF;
        place := NULL;
        status := NULL;
    END LOOP;
    WITH added AS (
        INSERT INTO puppylog.alert_history (id, alert_id, segment, evaluated_at, from_state, to_state, value, comparison,
                                            level, window_since, window_until, made_up, recorded_at)
        SELECT nextval('puppylog.signal_ids'), alert.id, s.segment, s.evaluated_at, s.from_state, s.to_state, s.value,
               alert.comparison, alert.level, s.window_until - make_interval(secs => alert.window_s), s.window_until,
               until - s.evaluated_at >= period + missed_after, now()
        FROM (SELECT * FROM unnest(transitions) AS u ORDER BY u.evaluated_at, u.segment) AS s
        RETURNING id
    )
    SELECT array_agg(added.id) INTO ids FROM added;
    IF ids IS NOT NULL OR cardinality(forgotten) > 0 THEN
        PERFORM puppylog.note_transitions(alert, metric, ids, forgotten, last_at);
    END IF;
    UPDATE puppylog.alerts AS a
    SET evaluated_at = last_at, error = NULL, unjudged_segments = unjudged WHERE a.id = alert.id;
    RETURN last_at + period <= until;
END
$$;

-- Does a limited number of an alert's due evaluations, the oldest first; returns whether more are due.
-- If the alert was deleted, or if another session evaluates, this does nothing and returns false.
-- An error is stored with the alert and not raised. All evaluations up to now then count as failed.
CREATE OR REPLACE FUNCTION puppylog.evaluate_alert(id integer, until timestamptz DEFAULT clock_timestamp())
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp
SET jit = off -- compiling a query that runs once takes longer than running it
AS $$
DECLARE
    alert puppylog.alerts;
BEGIN
    IF NOT pg_try_advisory_xact_lock(1885697639, 2) THEN
        RETURN false;
    END IF;
    -- An alert that is being deleted or changed now is skipped without waiting. The next round evaluates it.
    SELECT a.* INTO alert FROM puppylog.alerts AS a WHERE a.id = evaluate_alert.id FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    until := least(until, clock_timestamp()); -- the future cannot be judged
    IF alert.evaluated_at > until THEN -- the clock was set back
        PERFORM puppylog.rebase_alerts(until, alert.id);
        RETURN false;
    END IF;
    BEGIN
        RETURN puppylog.judge_alert(alert, until);
    EXCEPTION WHEN OTHERS OR query_canceled THEN -- also after a time-out, so that the other alerts are evaluated
        UPDATE puppylog.alerts AS a
        SET evaluated_at = puppylog.floor_to(until, a.period_s),
            error = regexp_replace(SQLERRM, '\s+', ' ', 'g')
        WHERE a.id = evaluate_alert.id;
        RETURN false;
    END;
END
$$;

-- The alerts that are due, the one that has waited longest first. An alert that has missed more than 100 evaluations is
-- catching up: such alerts come last, the one that has missed least first. catching_up selects them, or the others.
CREATE OR REPLACE FUNCTION puppylog.alerts_due(
    now timestamptz DEFAULT clock_timestamp(), catching_up boolean DEFAULT NULL
) RETURNS SETOF integer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT a.id
    FROM (SELECT *, EXTRACT(epoch FROM alerts_due.now - evaluated_at) / period_s AS missed FROM puppylog.alerts) AS a
    WHERE (puppylog.floor_to(a.evaluated_at, a.period_s) + make_interval(secs => a.period_s) <= alerts_due.now
           OR a.evaluated_at > alerts_due.now) -- the clock was set back
      AND (catching_up IS NULL OR (a.missed > 100) = catching_up)
    ORDER BY a.missed > 100, CASE WHEN a.missed > 100 THEN a.missed END, a.evaluated_at, a.id;
END
$$;

-- Stores a heartbeat, with the error since the last heartbeat, at most one in 5 seconds unless the error changes.
CREATE OR REPLACE FUNCTION puppylog.beat(evaluator text, error text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM puppylog.heartbeat) THEN
        LOCK TABLE puppylog.heartbeat IN SHARE ROW EXCLUSIVE MODE; -- otherwise two sessions could insert two rows
        INSERT INTO puppylog.heartbeat (evaluator, beat_at, error)
        SELECT beat.evaluator, clock_timestamp(), beat.error WHERE NOT EXISTS (SELECT FROM puppylog.heartbeat);
    END IF;
    UPDATE puppylog.heartbeat AS h
    SET evaluator = beat.evaluator, beat_at = clock_timestamp(), error = beat.error
    WHERE h.beat_at < clock_timestamp() - interval '4 seconds' OR h.beat_at > clock_timestamp() OR h.error IS DISTINCT FROM beat.error;
END
$$;

-- One round: evaluates all due alerts. Alerts that are not catching up come first, in as many transactions as they need.
-- The others share one second of each round, so that the next round starts soon.
CREATE OR REPLACE PROCEDURE puppylog.evaluate_alerts(evaluator text DEFAULT 'scheduler')
LANGUAGE plpgsql AS $$
DECLARE
    due integer;
    is_more_due boolean;
    started timestamptz;
BEGIN
    PERFORM puppylog.rebase_clock();
    COMMIT;
    FOR due IN SELECT d FROM puppylog.alerts_due(catching_up => false) AS d LOOP
        LOOP
            is_more_due := puppylog.evaluate_alert(due);
            COMMIT;
            EXIT WHEN NOT is_more_due;
        END LOOP;
    END LOOP;
    started := clock_timestamp();
    <<catching_up>>
    FOR due IN SELECT d FROM puppylog.alerts_due(catching_up => true) AS d LOOP
        LOOP
            is_more_due := puppylog.evaluate_alert(due);
            COMMIT;
            EXIT catching_up WHEN clock_timestamp() NOT BETWEEN started AND started + interval '1 second';
            EXIT WHEN NOT is_more_due;
        END LOOP;
    END LOOP;
    PERFORM puppylog.clear_notifications();
    PERFORM puppylog.clear_requests();
    PERFORM puppylog.beat(evaluator, NULL);
    COMMIT;
END
$$;

-- One round, with the signature that TimescaleDB's scheduler needs.
CREATE OR REPLACE PROCEDURE puppylog.evaluate_job(job_id integer, config jsonb)
LANGUAGE plpgsql AS $$
BEGIN
    CALL puppylog.evaluate_alerts('timescaledb');
END
$$;
