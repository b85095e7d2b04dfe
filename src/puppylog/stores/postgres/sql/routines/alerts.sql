-- Alerts: the rule of model/alert_rule.py once more, and the evaluator that applies it where the metrics are.
--
-- The rule is pure, and a property test compares it with the model's. What is due is judged in order, by one evaluator
-- at a time, under the lock (1885697639, 2). alerts_due, evaluate_alert and beat run with the owner's rights, so that a
-- role that drives them needs none on the tables themselves.

-- What an alert observes in a window of n observations, which add up to ``total`` and lie between ``lowest`` and
-- ``highest``: null if there is none, or nothing finite. The window has so many ``buckets``, per segment.
CREATE OR REPLACE FUNCTION puppylog.observe_window(
    statistic text, metric_statistic text, buckets integer, n bigint,
    total double precision, lowest double precision, highest double precision
) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    -- One expression, so that it becomes part of the query that calls it.
    SELECT nullif(nullif(nullif(CASE
        WHEN n = 0 THEN NULL
        WHEN statistic = 'sum' THEN total
        -- A missing bucket of a count is a zero: nothing happened. Of any other metric it is left out.
        WHEN statistic = 'avg' THEN total / CASE WHEN metric_statistic = 'count' THEN greatest(n, buckets) ELSE n END
        WHEN statistic = 'min' THEN
            CASE WHEN metric_statistic = 'count' AND n < buckets THEN least(lowest, 0) ELSE lowest END
        WHEN statistic = 'max' THEN
            CASE WHEN metric_statistic = 'count' AND n < buckets THEN greatest(highest, 0) ELSE highest END
    END, 'NaN'), 'Infinity'), '-Infinity')
$$;

-- The status after the evaluation at ``at`` that observed so much (null: nothing). Evaluations come in order.
CREATE OR REPLACE FUNCTION puppylog.step_alert(
    definition puppylog.alerts, before puppylog.alert_states, observed double precision, at timestamptz
) RETURNS puppylog.alert_states
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    status puppylog.alert_states := before;
    is_passed boolean; -- null: there is nothing to tell it by
    next_state text;
BEGIN
    IF observed IS NOT NULL THEN
        status.seen_at := at;
    ELSIF definition.no_data = 'zero' THEN
        observed := 0;
    END IF;
    status.value := observed;
    status.evaluated_at := at;
    is_passed := CASE
        WHEN observed IS NULL THEN CASE definition.no_data WHEN 'ok' THEN false WHEN 'alert' THEN true END
        WHEN definition.comparison = '>' THEN observed > definition.level
        WHEN definition.comparison = '>=' THEN observed >= definition.level
        WHEN definition.comparison = '<' THEN observed < definition.level
        WHEN definition.comparison = '<=' THEN observed <= definition.level
    END;
    next_state := CASE
        WHEN is_passed IS NULL THEN CASE WHEN definition.no_data = 'keep' THEN status.state ELSE 'no_data' END
        WHEN is_passed AND status.state = 'firing' THEN 'firing'
        WHEN is_passed AND status.state = 'pending' THEN
            CASE WHEN at - status.since >= make_interval(secs => definition.for_s) THEN 'firing' ELSE 'pending' END
        WHEN is_passed THEN CASE WHEN definition.for_s > 0 THEN 'pending' ELSE 'firing' END
        WHEN status.state = 'firing' AND at - coalesce(status.clear_since, at)
                                         < make_interval(secs => definition.keep_firing_for_s) THEN 'firing'
        ELSE 'ok'
    END;
    IF next_state <> status.state THEN
        status.state := next_state;
        status.since := at;
        status.clear_since := NULL;
    ELSIF next_state = 'firing' AND is_passed IS NOT NULL THEN
        status.clear_since := CASE WHEN NOT is_passed THEN coalesce(status.clear_since, at) END;
    END IF;
    RETURN status;
END
$$;

-- What is observed at so many evaluations, the first at ``first_at``: of every segment that has a state or is seen. New
-- ones are there from when they are seen first; before that they did not exist, and are not judged.
CREATE OR REPLACE FUNCTION puppylog.observe_alert(
    alert puppylog.alerts, metric puppylog.metrics, first_at timestamptz, evaluations integer
) RETURNS TABLE (segment text, evaluated_at timestamptz, observed double precision)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    last_at timestamptz := first_at + make_interval(secs => alert.period_s) * (evaluations - 1);
    delay interval := make_interval(secs => alert.delay_s);
    -- Together, the parts of a count or a sum are added up per bucket first; other statistics can not be, and their
    -- observations stand side by side.
    adds_up boolean := NOT alert.each_segment AND metric.statistic IN ('count', 'sum');
BEGIN
    -- A bucket is in the windows of all evaluations from when it is over and the delay too, for the length of a window.
    -- So observations that come and go together are summed up once (a pane), and windows are put together from these.
    -- Of a window only what the statistic takes is asked for: a sum that overflows is no failure of a maximum.
    RETURN QUERY EXECUTE format($query$
        WITH observations AS (
            SELECT date_part('epoch', bucket) + $3 - date_part('epoch', $1) AS judged_s, %2$s AS segment, %3$s AS value
            FROM metrics.%1$I
            WHERE bucket >= $4 AND bucket < $5
            %4$s
        ), numbered AS (
            SELECT greatest(0, ceil(judged_s / $6))::integer AS first_no,
                   least($2, ceil((judged_s + $7) / $6))::integer AS end_no, segment, value
            FROM observations
        ), panes AS (
            SELECT segment, first_no, end_no, count(value) AS n, %5$s(value) AS value
            FROM numbered
            WHERE first_no < end_no
            GROUP BY segment, first_no, end_no
            HAVING count(value) > 0
        ), lives AS (
            SELECT segment, min(first_no) AS first_no
            FROM (SELECT segment, first_no FROM panes UNION ALL %6$s) AS known
            GROUP BY segment
        ), parts AS (
            SELECT segment, generate_series(first_no, end_no - 1) AS evaluation_no, n, value FROM panes
            UNION ALL
            SELECT segment, generate_series(first_no, $2 - 1), 0, NULL FROM lives
        ), windows AS (
            SELECT segment, evaluation_no, sum(n)::bigint AS n, %5$s(value) AS value
            FROM parts
            GROUP BY segment, evaluation_no
        )
        SELECT segment, $1 + evaluation_no * make_interval(secs => $6),
               puppylog.observe_window($8, $9, $10, n, value, value, value)
        FROM windows
        $query$,
        metric.name,
        CASE WHEN alert.each_segment THEN 'segment COLLATE "C"' ELSE 'NULL::text COLLATE "C"' END,
        CASE WHEN adds_up THEN 'sum(value)' ELSE 'value' END,
        CASE WHEN adds_up THEN 'GROUP BY bucket' ELSE '' END,
        CASE WHEN alert.statistic IN ('min', 'max') THEN alert.statistic ELSE 'sum' END,
        CASE WHEN alert.each_segment
             THEN 'SELECT segment COLLATE "C", 0 FROM puppylog.alert_states WHERE alert_id = $11'
             ELSE 'SELECT NULL, 0' END
    ) USING first_at, evaluations, metric.period_s + alert.delay_s,
            puppylog.floor_to(first_at - delay, metric.period_s) - make_interval(secs => alert.window_s),
            puppylog.floor_to(last_at - delay, metric.period_s),
            alert.period_s, alert.window_s, alert.statistic, metric.statistic, alert.window_s / metric.period_s,
            alert.id;
END
$$;

-- Does what evaluate_alert says, but raises what goes wrong.
CREATE OR REPLACE FUNCTION puppylog.judge_alert(alert puppylog.alerts, until timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    -- What one call may look at: evaluations, and observations in all their windows together.
    most_evaluations CONSTANT bigint := 2000;
    most_observations CONSTANT bigint := 5000000;
    -- An evaluation later than its period and this was missed, and is marked so. A busy store may be a little late.
    made_up_after CONSTANT interval := '10 seconds';
    -- A segment that has not been seen for so long is forgotten: segments come from log lines, and whoever writes those
    -- must not be able to make the states grow without end. If it fires because it is not seen, its last signal says
    -- no_data.
    forget_after CONSTANT interval := '24 hours';
    period interval := make_interval(secs => alert.period_s);
    first_at timestamptz := puppylog.floor_to(alert.evaluated_at, alert.period_s) + period;
    last_at timestamptz;
    metric puppylog.metrics;
    evaluations bigint;
    segments bigint;
    found record;
    place tid; -- of the segment's state, if it has one; nobody else changes states while we hold the lock
    before puppylog.alert_states;
    status puppylog.alert_states;
    signal puppylog.alert_history;
    signals puppylog.alert_history[] := '{}';
BEGIN
    IF first_at > until THEN
        RETURN false;
    END IF;
    SELECT m.* INTO STRICT metric FROM puppylog.metrics AS m WHERE m.id = alert.metric_id;
    SELECT greatest(1, count(*)) INTO segments FROM puppylog.alert_states AS s WHERE s.alert_id = alert.id;
    evaluations := least(floor(EXTRACT(epoch FROM until - first_at) / alert.period_s) + 1, most_evaluations,
                         greatest(1, most_observations / (segments * (alert.window_s / metric.period_s))));
    last_at := first_at + period * (evaluations - 1);
    -- Of each segment its state comes first, if it has one; after that its windows in order, always up to the last.
    FOR found IN
        SELECT s.segment COLLATE "C" AS segment, NULL::timestamptz AS evaluated_at, NULL::double precision AS observed,
               s.ctid AS place, s AS status
        FROM puppylog.alert_states AS s WHERE s.alert_id = alert.id
        UNION ALL
        SELECT o.segment COLLATE "C", o.evaluated_at, o.observed, NULL, NULL
        FROM puppylog.observe_alert(alert, metric, first_at, evaluations::integer) AS o
        ORDER BY segment, evaluated_at NULLS FIRST
    LOOP
        IF found.evaluated_at IS NULL THEN
            place := found.place;
            status := found.status;
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
            signal.segment := status.segment;
            signal.evaluated_at := status.evaluated_at;
            signal.from_state := before.state;
            signal.to_state := status.state;
            signal.value := status.value;
            signal.window_until := puppylog.floor_to(
                status.evaluated_at - make_interval(secs => alert.delay_s), metric.period_s);
            signals := array_append(signals, signal);
        END IF;
        CONTINUE WHEN found.evaluated_at < last_at;
        IF alert.each_segment AND last_at - status.seen_at > forget_after
           AND (status.state IN ('ok', 'no_data') OR status.state = 'firing' AND alert.no_data <> 'keep') THEN
            IF status.state = 'firing' THEN
                signal.segment := status.segment;
                signal.evaluated_at := last_at;
                signal.from_state := 'firing';
                signal.to_state := 'no_data';
                signal.value := status.value;
                signal.window_until := puppylog.floor_to(
                    last_at - make_interval(secs => alert.delay_s), metric.period_s);
                signals := array_append(signals, signal);
            END IF;
            DELETE FROM puppylog.alert_states AS s WHERE s.ctid = place;
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
    INSERT INTO puppylog.alert_history (id, alert_id, segment, evaluated_at, from_state, to_state, value, comparison,
                                        level, window_since, window_until, made_up, recorded_at)
    SELECT nextval('puppylog.signal_ids'), alert.id, s.segment, s.evaluated_at, s.from_state, s.to_state, s.value,
           alert.comparison, alert.level, s.window_until - make_interval(secs => alert.window_s), s.window_until,
           until - s.evaluated_at >= period + made_up_after, now()
    FROM (SELECT * FROM unnest(signals) AS u ORDER BY u.evaluated_at, u.segment) AS s;
    UPDATE puppylog.alerts AS a SET evaluated_at = last_at, error = NULL WHERE a.id = alert.id;
    RETURN last_at + period <= until;
END
$$;

-- Does the evaluations of one alert that are due, oldest first, a limited number of them; returns whether more are due.
-- It is OK if the alert has been deleted, or if somebody else evaluates: then nothing is done, and false returned.
-- A failure is recorded with the alert, whose evaluations up to now have failed; it is never raised.
CREATE OR REPLACE FUNCTION puppylog.evaluate_alert(id integer, until timestamptz DEFAULT clock_timestamp())
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp
SET jit = off -- to compile a query that is run once takes longer than the query
AS $$
DECLARE
    alert puppylog.alerts;
BEGIN
    IF NOT pg_try_advisory_xact_lock(1885697639, 2) THEN
        RETURN false;
    END IF;
    -- One that is just being deleted or changed is not waited for: its turn, if any, comes with the next round.
    SELECT a.* INTO alert FROM puppylog.alerts AS a WHERE a.id = evaluate_alert.id FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    until := least(until, clock_timestamp()); -- nobody may have judged what has not happened yet
    BEGIN
        RETURN puppylog.judge_alert(alert, until);
    EXCEPTION WHEN OTHERS OR query_canceled THEN -- a time limit cancels, and must not keep the others waiting either
        UPDATE puppylog.alerts AS a
        SET evaluated_at = puppylog.floor_to(until, a.period_s),
            error = regexp_replace(SQLERRM, '\s+', ' ', 'g')
        WHERE a.id = evaluate_alert.id;
        RETURN false;
    END;
END
$$;

-- The alerts of which an evaluation is due; the one that has waited longest comes first.
CREATE OR REPLACE FUNCTION puppylog.alerts_due(now timestamptz DEFAULT clock_timestamp()) RETURNS SETOF integer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT a.id FROM puppylog.alerts AS a
    WHERE puppylog.floor_to(a.evaluated_at, a.period_s) + make_interval(secs => a.period_s) <= alerts_due.now
    ORDER BY a.evaluated_at, a.id;
END
$$;

-- Leaves a sign of life, and what went wrong since the last one; of signs that say the same, one in 5 seconds.
CREATE OR REPLACE FUNCTION puppylog.beat(evaluator text, error text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, puppylog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM puppylog.heartbeat) THEN
        LOCK TABLE puppylog.heartbeat IN SHARE ROW EXCLUSIVE MODE; -- two first ones at once would make two rows
        INSERT INTO puppylog.heartbeat (evaluator, beat_at, error)
        SELECT beat.evaluator, clock_timestamp(), beat.error WHERE NOT EXISTS (SELECT FROM puppylog.heartbeat);
    END IF;
    UPDATE puppylog.heartbeat AS h
    SET evaluator = beat.evaluator, beat_at = clock_timestamp(), error = beat.error
    WHERE h.beat_at < clock_timestamp() - interval '4 seconds' OR h.error IS DISTINCT FROM beat.error;
END
$$;

-- One round: all that is due, in as many transactions as it takes.
CREATE OR REPLACE PROCEDURE puppylog.evaluate_alerts(evaluator text DEFAULT 'scheduler')
LANGUAGE plpgsql AS $$
DECLARE
    due integer;
    is_more_due boolean;
BEGIN
    FOR due IN SELECT d FROM puppylog.alerts_due() AS d LOOP
        LOOP
            is_more_due := puppylog.evaluate_alert(due);
            COMMIT;
            EXIT WHEN NOT is_more_due;
        END LOOP;
    END LOOP;
    PERFORM puppylog.beat(evaluator, NULL);
    COMMIT;
END
$$;

-- A round as TimescaleDB's scheduler calls it.
CREATE OR REPLACE PROCEDURE puppylog.evaluate_job(job_id integer, config jsonb)
LANGUAGE plpgsql AS $$
BEGIN
    CALL puppylog.evaluate_alerts('timescaledb');
END
$$;
