-- Evaluating alerts: observed values, states and history.

-- name: delete_states
DELETE FROM puppylog.segment_states WHERE alert_id = $id

-- name: delete_history
DELETE FROM puppylog.alert_history WHERE alert_id = $id

-- name: count_states
-- The number of stored states of each alert in the table `asked`. An alert without states has no row.
SELECT states.alert_id, count(*) AS states
FROM puppylog.segment_states AS states
JOIN asked ON asked.alert_id = states.alert_id
GROUP BY states.alert_id

-- name: calm_alerts
-- Those of the alerts in the table `asked` that have no pending or firing segment, with their last evaluation.
SELECT alerts.id, epoch_us(alerts.evaluated_at) AS evaluated_us
FROM puppylog.alerts
JOIN asked ON asked.alert_id = alerts.id
WHERE alerts.error IS NULL AND alerts.id NOT IN (
    SELECT alert_id FROM puppylog.segment_states WHERE state NOT IN ('ok', 'no_data')
)

-- name: forget_finished_streams
-- Deletes the states of streams whose file is gone and read to its end, in alerts that judge each stream: no line can come
-- any more, so such a stream is not silent. A firing segment stays, so that people are told of its end.
DELETE FROM puppylog.segment_states
WHERE state <> 'firing'
  AND segment IN (SELECT stream_id::VARCHAR FROM puppylog.stream_reports WHERE finished)
  AND alert_id IN (
    SELECT alerts.id
    FROM puppylog.alerts AS alerts
    JOIN puppylog.metrics AS metrics ON metrics.id = alerts.metric_id
    WHERE metrics.segment = 'stream_id'
)

-- name: observe_together
-- The windows of several evaluations that judge all segments together. The observations of a count, a rate or a sum are
-- added up per bucket first, and so are both parts of a ratio. Observations of other statistics cannot be added up, so
-- each counts by itself.
WITH evaluations AS (
    SELECT unnest(generate_series($first_us, $last_us, $period_us)) AS at_us
), observations AS (
    SELECT epoch_us(bucket) AS bucket_us, {values}
    FROM metrics.{metric}
    WHERE bucket >= make_timestamptz($first_us - $delay_us - $window_us - $bucket_us)
      AND bucket < make_timestamptz($last_us - $delay_us)
    {grouping}
)
SELECT at_us, NULL::VARCHAR AS segment, {n} AS n, {sum} AS sum, min(value) AS min, max(value) AS max
FROM evaluations
JOIN observations
  ON bucket_us >= (at_us - $delay_us) // $bucket_us * $bucket_us - $window_us
 AND bucket_us < (at_us - $delay_us) // $bucket_us * $bucket_us
GROUP BY at_us

-- name: value_of_window
-- The value of a window. A missing bucket of a count is zero; a missing bucket of another metric is ignored.
CASE '{statistic}'
    WHEN 'sum' THEN sum(value)
    WHEN 'avg' THEN {average}
    WHEN 'min' THEN CASE WHEN {is_count} AND count(value) < {buckets} THEN least(min(value), 0) ELSE min(value) END
    WHEN 'max' THEN CASE WHEN {is_count} AND count(value) < {buckets} THEN greatest(max(value), 0) ELSE max(value) END
END

-- name: average
sum(value) / CASE WHEN {is_count} THEN greatest(count(value), {buckets}) ELSE count(value) END

-- name: average_by_records
-- The average of a ratio: the share in all records of the window.
sum(part) / sum(whole)

-- name: observe_each
-- The values that several evaluations observe of each segment. Windows without an observation have no row.
WITH evaluations AS (
    SELECT unnest(generate_series($first_us, $last_us, $period_us)) AS at_us
), buckets AS (
    SELECT epoch_us(bucket) AS bucket_us, * EXCLUDE (bucket)
    FROM metrics.{metric}
    WHERE bucket >= make_timestamptz($first_us - $delay_us - $window_us - $bucket_us)
      AND bucket < make_timestamptz($last_us - $delay_us)
)
SELECT $id AS alert_id, segment, (at_us - $first_us) // $period_us AS evaluation_no, {value} AS value
FROM evaluations
JOIN buckets
  ON bucket_us >= (at_us - $delay_us) // $bucket_us * $bucket_us - $window_us
 AND bucket_us < (at_us - $delay_us) // $bucket_us * $bucket_us
GROUP BY at_us, segment
HAVING count(value) > 0

-- name: observe_each_once
-- The values that one evaluation observes of each segment. The bounds are constants, so that DuckDB skips row groups.
SELECT {id} AS alert_id, segment, 0::BIGINT AS evaluation_no, {value} AS value
FROM {buckets}
WHERE bucket >= make_timestamptz({since_us}) AND bucket < make_timestamptz({until_us})
GROUP BY segment
HAVING count(value) > 0

-- name: rollup_of_metric
-- The buckets of a metric below its watermark.
puppylog.rollup_{id}

-- name: view_of_metric
-- All buckets of a metric.
metrics.{name}

-- name: find_status
-- The state of an alert that judges all segments together: one row, or none before the first evaluation.
SELECT states.rowid AS place, states.state, epoch_us(states.since) AS since_us,
       epoch_us(states.clear_since) AS clear_since_us, states.value, epoch_us(alerts.judged_at) AS evaluated_us,
       epoch_us(CASE WHEN states.is_seen THEN alerts.judged_at ELSE states.seen_at END) AS seen_us
FROM puppylog.segment_states AS states
JOIN puppylog.alerts AS alerts ON alerts.id = states.alert_id
WHERE states.alert_id = $id

-- name: judge
-- The rule of model/alert_rule.py in SQL, for the alerts in the table `due`, which judge each segment. The answer has, for
-- each alert and segment, the evaluations that change its state, and the last evaluation if the stored row must change.
-- `place` is the stored row, or null if there is none. A segment without a stored row is first judged by the evaluation
-- that first observes it. Only a limited number of such segments is judged: those that are observed first, then by name.
-- `has_new_state` says whether anything but the value is different in the last evaluation. `unjudged`, the number of the
-- other segments, is in every row of the alert. If no row of an alert must change, the answer has one row of nulls with
-- this number. The tables `chain` and `counted` come from chain_of_one or chain_of_many.
WITH RECURSIVE definition AS (
    SELECT due.*, no_data, comparison, level, for_s, keep_firing_for_s, epoch_us(judged_at) AS judged_us
    FROM due
    JOIN puppylog.alerts AS alerts ON alerts.id = due.alert_id
), known AS (
    SELECT states.rowid AS place, states.alert_id, segment, state AS known_state, epoch_us(since) AS known_since_us,
           epoch_us(clear_since) AS known_clear_since_us, value AS known_value, is_seen AS known_is_seen,
           CASE WHEN is_seen THEN judged_us ELSE epoch_us(seen_at) END AS known_seen_us
    FROM puppylog.segment_states AS states
    JOIN definition ON definition.alert_id = states.alert_id
), observations AS MATERIALIZED (
    -- A value that is not finite counts as a missing value.
    SELECT alert_id, segment, evaluation_no, CASE WHEN isfinite(value) THEN value END AS value
    FROM ({observed}) AS observed
), {chain}, judged AS (
    SELECT *, coalesce(seen_us = at_us, false) AS is_seen,
           -- The state of a segment that was last observed so long ago is deleted, unless the alert keeps it ('keep').
           (is_last AND at_us - seen_us > $forget_us
            AND (state IN ('ok', 'no_data') OR (state = 'firing' AND no_data <> 'keep'))) IS TRUE AS is_forgotten,
           place IS NULL OR state <> known_state OR since_us <> known_since_us
           OR clear_since_us IS DISTINCT FROM known_clear_since_us OR is_seen <> known_is_seen
           OR (NOT is_seen AND seen_us IS DISTINCT FROM known_seen_us) AS has_new_state
    FROM (
        SELECT chain.*, definition.no_data, definition.first_us + evaluation_no * definition.period_us AS at_us,
               evaluation_no = definition.evaluations - 1 AS is_last
        FROM chain
        JOIN definition ON definition.alert_id = chain.alert_id
    ) AS timed
)
SELECT counted.alert_id, place, segment, at_us, from_state, state, since_us, clear_since_us, value, seen_us, is_seen,
       is_last, is_forgotten, has_new_state, unjudged
FROM counted
LEFT JOIN (
    FROM judged
    WHERE state <> from_state
       OR is_last AND (is_forgotten OR has_new_state OR value IS DISTINCT FROM known_value)
) AS changed ON changed.alert_id = counted.alert_id

-- name: chain_of_one
-- Part of the query judge if only one evaluation of each alert is due, as usual.
lives AS MATERIALIZED (
    SELECT known.*, observations.value AS observed, observations.evaluation_no IS NOT NULL AS is_observed
    FROM known
    LEFT JOIN observations
      ON observations.alert_id = known.alert_id AND observations.segment IS NOT DISTINCT FROM known.segment
    {admitted}
), chain AS (
    {next_states}
), counted AS (
    SELECT definition.alert_id, coalesce(observed.segments, 0) - coalesce(judged.segments, 0) AS unjudged
    FROM definition
    LEFT JOIN (
        SELECT alert_id, count(*) AS segments FROM observations GROUP BY alert_id
    ) AS observed ON observed.alert_id = definition.alert_id
    LEFT JOIN (
        SELECT alert_id, count(*) AS segments FROM lives WHERE is_observed GROUP BY alert_id
    ) AS judged ON judged.alert_id = definition.alert_id
)

-- name: admitted_to_one
-- Part of the query chain_of_one: the segments that an alert has not judged yet. They are limited by their number, not by
-- LIMIT: DuckDB 2.0.1 has removed a LIMIT above an anti join from a form of this query.
UNION ALL
SELECT NULL, alert_id, segment, NULL, NULL, NULL, NULL, NULL, NULL, value, true
FROM (
    SELECT observations.alert_id, observations.segment, observations.value, definition.new_segments
    FROM observations
    JOIN definition ON definition.alert_id = observations.alert_id AND definition.new_segments > 0
    ANTI JOIN known
      ON known.alert_id = observations.alert_id AND known.segment IS NOT DISTINCT FROM observations.segment
    QUALIFY row_number() OVER (PARTITION BY observations.alert_id ORDER BY observations.segment) <= new_segments
) AS admitted

-- name: columns_of_one
-- The columns that the query next_states copies to its answer.
alert_id, place, segment, known_state, known_since_us, known_clear_since_us, known_value, known_is_seen, known_seen_us

-- name: observed_by_one
-- The stored state of each segment, and the value that the only due evaluation observes.
SELECT lives.* EXCLUDE (observed, is_observed), 0::BIGINT AS evaluation_no,
       coalesce(known_state, 'ok') AS from_state, coalesce(known_since_us, first_us) AS since_us,
       known_clear_since_us AS clear_since_us, first_us AS at_us,
       coalesce(observed, CASE WHEN definition.no_data = 'zero' THEN 0 END) AS value,
       CASE WHEN observed IS NULL THEN known_seen_us ELSE first_us END AS seen_us,
       definition.no_data, definition.comparison, definition.level, definition.for_s, definition.keep_firing_for_s
FROM lives
JOIN definition ON definition.alert_id = lives.alert_id

-- name: chain_of_many
-- Part of the query judge if several evaluations of one alert are due. They are judged in their order.
unseen_segments AS MATERIALIZED (
    SELECT segment, first_no
    FROM (
        SELECT segment, min(evaluation_no) AS first_no FROM observations GROUP BY segment
    ) AS seen
    ANTI JOIN known ON known.segment IS NOT DISTINCT FROM seen.segment
), lives AS MATERIALIZED (
    SELECT row_number() OVER () AS life, *
    FROM (
        SELECT known.*, 0::BIGINT AS first_no FROM known
        UNION ALL
        SELECT NULL, $id, segment, NULL, NULL, NULL, NULL, NULL, NULL, first_no
        FROM (
            FROM unseen_segments QUALIFY row_number() OVER (ORDER BY first_no, segment) <= $new_segments
        ) AS admitted
    ) AS judged
), series AS MATERIALIZED (
    -- The observed values of each segment, in the order of the evaluations.
    SELECT lives.life, list(observations.value ORDER BY numbers.evaluation_no) AS values
    FROM lives
    CROSS JOIN range($evaluations) AS numbers (evaluation_no)
    LEFT JOIN observations
      ON observations.segment IS NOT DISTINCT FROM lives.segment
     AND observations.evaluation_no = numbers.evaluation_no
    GROUP BY lives.life
), steps AS (
    SELECT life, first_no - 1 AS evaluation_no, NULL::VARCHAR AS from_state, coalesce(known_state, 'ok') AS state,
           coalesce(known_since_us, $first_us + first_no * $period_us) AS since_us,
           known_clear_since_us AS clear_since_us, NULL::DOUBLE AS value, known_seen_us AS seen_us
    FROM lives
    UNION ALL
    {next_states}
), chain AS (
    SELECT steps.*, lives.* EXCLUDE (life)
    FROM steps
    JOIN lives ON lives.life = steps.life
    WHERE steps.evaluation_no >= lives.first_no
), counted AS (
    SELECT $id AS alert_id, greatest(count(*) - $new_segments, 0) AS unjudged FROM unseen_segments
)

-- name: next_states
-- The rule itself: from the states and the observed values to the next states.
SELECT {kept}, evaluation_no, from_state, next_state AS state,
       CASE WHEN next_state = from_state THEN since_us ELSE at_us END AS since_us,
       CASE WHEN next_state <> from_state THEN NULL
            WHEN next_state <> 'firing' OR is_crossed IS NULL THEN clear_since_us
            WHEN NOT is_crossed THEN coalesce(clear_since_us, at_us) END AS clear_since_us,
       value, seen_us
FROM (
    SELECT *, CASE
        WHEN is_crossed IS NULL THEN CASE WHEN no_data = 'keep' THEN from_state ELSE 'no_data' END
        WHEN is_crossed AND from_state = 'firing' THEN 'firing'
        WHEN is_crossed AND from_state = 'pending' THEN
            CASE WHEN at_us - since_us >= for_s * 1000000::BIGINT THEN 'firing' ELSE 'pending' END
        WHEN is_crossed THEN CASE WHEN for_s > 0 THEN 'pending' ELSE 'firing' END
        WHEN from_state = 'firing'
         AND at_us - coalesce(clear_since_us, at_us) < keep_firing_for_s * 1000000::BIGINT THEN 'firing'
        ELSE 'ok' END AS next_state
    FROM (
        SELECT *, CASE
            WHEN value IS NULL THEN CASE no_data WHEN 'ok' THEN false WHEN 'alert' THEN true END
            WHEN comparison = '>' THEN value > level
            WHEN comparison = '>=' THEN value >= level
            WHEN comparison = '<' THEN value < level
            WHEN comparison = '<=' THEN value <= level END AS is_crossed
        FROM (
            {observed_now}
        ) AS observed_now
    ) AS compared
) AS turned

-- name: observed_by_many
-- The state of each segment after an evaluation, and the value that the next evaluation observes.
SELECT steps.life, steps.evaluation_no + 1 AS evaluation_no, steps.state AS from_state, steps.since_us,
       steps.clear_since_us, $first_us + (steps.evaluation_no + 1) * $period_us AS at_us,
       coalesce(series.values[steps.evaluation_no + 2],
                CASE WHEN definition.no_data = 'zero' THEN 0 END) AS value,
       CASE WHEN series.values[steps.evaluation_no + 2] IS NULL THEN steps.seen_us
            ELSE $first_us + (steps.evaluation_no + 1) * $period_us END AS seen_us,
       definition.no_data, definition.comparison, definition.level, definition.for_s,
       definition.keep_firing_for_s
FROM steps
JOIN series ON series.life = steps.life
CROSS JOIN definition
WHERE steps.evaluation_no < $evaluations - 1

-- name: kinds_of_judged
-- Which kinds of rows the table `judged` has, and how many alerts have transitions to firing.
SELECT coalesce(bool_or(is_forgotten), false) AS forgotten, coalesce(bool_or(state <> from_state), false) AS changed,
       coalesce(bool_or(is_kept AND place IS NULL), false) AS new,
       coalesce(bool_or(is_kept AND place IS NOT NULL), false) AS known,
       coalesce(bool_or(is_kept AND NOT has_new_state), false) AS values_only,
       count(DISTINCT alert_id) FILTER (state = 'firing' AND from_state <> 'firing') AS firing_alerts
FROM (
    SELECT *, is_last AND NOT is_forgotten AS is_kept FROM judged
) AS kinds

-- name: forgotten_segments
-- The segments whose states are deleted.
SELECT alert_id, segment FROM judged WHERE is_forgotten

-- name: forget_states
DELETE FROM puppylog.segment_states WHERE rowid IN (SELECT place FROM judged WHERE is_forgotten)

-- name: update_states
-- Writes the state of each segment after the last evaluation, if the segment has a row.
UPDATE puppylog.segment_states AS states
SET state = judged.state, since = make_timestamptz(judged.since_us),
    clear_since = make_timestamptz(judged.clear_since_us), value = judged.value, is_seen = judged.is_seen,
    seen_at = CASE WHEN NOT judged.is_seen THEN make_timestamptz(judged.seen_us) END
FROM judged
WHERE states.rowid = judged.place AND judged.is_last AND judged.has_new_state AND NOT judged.is_forgotten

-- name: update_values
-- Writes the value of each segment in the last evaluation, if nothing else of its row is different, as is usual. An update
-- of one column writes much less to the database and its log than one of all columns.
UPDATE puppylog.segment_states AS states
SET value = judged.value
FROM judged
WHERE states.rowid = judged.place AND judged.is_last AND NOT judged.has_new_state AND NOT judged.is_forgotten

-- name: insert_states
-- Inserts the state of each segment after the last evaluation, if the segment has no row.
INSERT INTO puppylog.segment_states (alert_id, segment, state, since, clear_since, value, is_seen, seen_at)
SELECT alert_id, segment, state, make_timestamptz(since_us), make_timestamptz(clear_since_us), value, is_seen,
       CASE WHEN NOT is_seen THEN make_timestamptz(seen_us) END
FROM judged
WHERE place IS NULL AND is_last AND NOT is_forgotten

-- name: insert_transitions
-- The changes of state, in order. A firing segment whose state is deleted gets a last transition, to no_data. Of each
-- alert, the newest $max_evidence transitions to firing get sample records; the others have $no_evidence as the reason.
INSERT INTO puppylog.alert_history (id, alert_id, segment, evaluated_at, from_state, to_state, value, comparison, level,
                                    window_since, window_until, made_up, recorded_at, evidence_omitted)
SELECT nextval('puppylog.ids'), alert_id, segment, make_timestamptz(at_us), from_state, to_state, value, comparison,
       level, make_timestamptz(until_us - window_us), make_timestamptz(until_us), $now_us - at_us >= missed_us, now(),
       CASE WHEN is_firing AND newest_no > $max_evidence THEN $no_evidence END
FROM (
    SELECT transitions.*, alerts.comparison, alerts.level, alerts.window_s * 1000000::BIGINT AS window_us,
           alerts.period_s * 1000000::BIGINT + $missed_after_us AS missed_us,
           (at_us - alerts.delay_s * 1000000::BIGINT) // due.bucket_us * due.bucket_us AS until_us,
           to_state = 'firing' AS is_firing,
           row_number() OVER (PARTITION BY transitions.alert_id, to_state = 'firing' ORDER BY at_us DESC, segment) AS newest_no
    FROM (
        SELECT alert_id, segment, at_us, 0 AS turn, from_state, state AS to_state, value
        FROM judged
        WHERE state <> from_state
        UNION ALL
        SELECT alert_id, segment, at_us, 1, 'firing', 'no_data', value
        FROM judged
        WHERE is_forgotten AND state = 'firing'
    ) AS transitions
    JOIN due ON due.alert_id = transitions.alert_id
    JOIN puppylog.alerts AS alerts ON alerts.id = due.alert_id
    ORDER BY at_us, transitions.alert_id, segment, turn
) AS ordered
RETURNING id, alert_id, segment, epoch_us(evaluated_at) AS at_us, to_state, value, epoch_us(window_since) AS since_us,
          epoch_us(window_until) AS until_us, to_state = 'firing' AND evidence_omitted IS NULL AS gets_evidence

-- name: note_evaluations
UPDATE puppylog.alerts
SET evaluated_at = make_timestamptz(due.last_us), judged_at = make_timestamptz(due.last_us), error = NULL,
    unjudged_segments = counted.unjudged
FROM due
JOIN (SELECT DISTINCT alert_id, unjudged FROM judged) AS counted ON counted.alert_id = due.alert_id
WHERE alerts.id = due.alert_id

-- name: note_settled
-- Notes evaluations that need not be made: they would leave the states of the alerts in the table `settled` as they are.
UPDATE puppylog.alerts
SET evaluated_at = make_timestamptz(settled.at_us), judged_at = make_timestamptz(settled.at_us)
FROM settled
WHERE alerts.id = settled.alert_id

-- name: note_failure
UPDATE puppylog.alerts SET evaluated_at = make_timestamptz($evaluated_us), error = $error WHERE id = $id

-- name: note_skipped
-- Records the range of missed evaluations that are not caught up. Adjacent ranges become one.
UPDATE puppylog.alerts
SET skipped_since = CASE WHEN skipped_until >= make_timestamptz($since_us) THEN skipped_since
                         ELSE make_timestamptz($since_us) END,
    skipped_until = make_timestamptz($until_us)
WHERE id = $id

-- name: beat
-- The heartbeat of the one evaluator of all metrics and alerts.
UPDATE puppylog.heartbeat SET beat_at = make_timestamptz($now_us), evaluator = $evaluator, error = $error

-- name: first_beat
INSERT INTO puppylog.heartbeat
SELECT $evaluator, make_timestamptz($now_us), $error WHERE NOT EXISTS (FROM puppylog.heartbeat)
