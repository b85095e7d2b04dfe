-- Evaluating alerts: states, history, and what an evaluation observes.

-- name: delete_states
DELETE FROM puppylog.alert_states WHERE alert_id = $id

-- name: delete_history
DELETE FROM puppylog.alert_history WHERE alert_id = $id

-- name: count_states
SELECT count(*) AS states FROM puppylog.alert_states WHERE alert_id = $id

-- name: observe_together
-- For some evaluations, all segments judged together: what the window of each holds. The parts of a count or a sum are
-- added up per bucket first; other statistics can not be, and their observations stand side by side.
WITH evaluations AS (
    SELECT unnest(generate_series($first_us, $last_us, $period_us)) AS at_us
), observations AS (
    SELECT epoch_us(bucket) AS bucket_us, {value} AS value
    FROM metrics.{metric}
    WHERE bucket >= make_timestamptz($first_us - $delay_us - $window_us - $bucket_us)
      AND bucket < make_timestamptz($last_us - $delay_us)
    {grouping}
)
SELECT at_us, NULL::VARCHAR AS segment, count(value) AS n, sum(value) AS sum, min(value) AS min, max(value) AS max
FROM evaluations
JOIN observations
  ON bucket_us >= (at_us - $delay_us) // $bucket_us * $bucket_us - $window_us
 AND bucket_us < (at_us - $delay_us) // $bucket_us * $bucket_us
GROUP BY at_us

-- name: observe_each
-- The same, one segment by one.
WITH evaluations AS (
    SELECT unnest(generate_series($first_us, $last_us, $period_us)) AS at_us
), observations AS (
    SELECT epoch_us(bucket) AS bucket_us, segment, value
    FROM metrics.{metric}
    WHERE bucket >= make_timestamptz($first_us - $delay_us - $window_us - $bucket_us)
      AND bucket < make_timestamptz($last_us - $delay_us)
)
SELECT at_us, segment, count(value) AS n, sum(value) AS sum, min(value) AS min, max(value) AS max
FROM evaluations
JOIN observations
  ON bucket_us >= (at_us - $delay_us) // $bucket_us * $bucket_us - $window_us
 AND bucket_us < (at_us - $delay_us) // $bucket_us * $bucket_us
GROUP BY at_us, segment

-- name: observe_each_once
-- The same, for one evaluation.
SELECT $first_us AS at_us, segment, count(value) AS n, sum(value) AS sum, min(value) AS min, max(value) AS max
FROM metrics.{metric}
WHERE bucket >= make_timestamptz(($first_us - $delay_us) // $bucket_us * $bucket_us - $window_us)
  AND bucket < make_timestamptz(($first_us - $delay_us) // $bucket_us * $bucket_us)
GROUP BY segment

-- name: states_of
-- What the alert is in now, by segment.
SELECT segment, state, epoch_us(since) AS since_us, epoch_us(clear_since) AS clear_since_us, value,
       epoch_us(evaluated_at) AS evaluated_us, epoch_us(seen_at) AS seen_us
FROM puppylog.alert_states
WHERE alert_id = $id

-- name: judge
-- The rule of model/alert_rule.py once more, for all segments of an alert that judges them one by one. Of each segment: every evaluation that changes its state,
-- and the last one. ``observed`` has the windows that hold anything; of a segment without a state, the first of them is
-- its first evaluation, and at most $new_segments such segments are judged: those that are seen first, then by name.
-- unjudged is how many more there are. ``chain`` is the query chain_of_one or chain_of_many.
WITH RECURSIVE observed AS MATERIALIZED (
    {observed}
), definition AS (
    SELECT * FROM puppylog.alerts WHERE id = $id
), known AS (
    SELECT segment, state, epoch_us(since) AS since_us, epoch_us(clear_since) AS clear_since_us,
           epoch_us(seen_at) AS seen_us
    FROM puppylog.alert_states
    WHERE alert_id = $id
), observations AS MATERIALIZED (
    -- A missing bucket of a count is zero; of any other metric it is left out. What is not finite counts as nothing.
    SELECT segment, evaluation_no, CASE WHEN isfinite(value) THEN value END AS value
    FROM (
        SELECT segment, (at_us - $first_us) // $period_us AS evaluation_no,
               CASE statistic
                   WHEN 'sum' THEN sum
                   WHEN 'avg' THEN sum / CASE WHEN $is_count THEN greatest(n, $buckets) ELSE n END
                   WHEN 'min' THEN CASE WHEN $is_count AND n < $buckets THEN least(min, 0) ELSE min END
                   WHEN 'max' THEN CASE WHEN $is_count AND n < $buckets THEN greatest(max, 0) ELSE max END
               END AS value
        FROM observed, definition
        WHERE n > 0
    ) AS valued
), unseen_segments AS MATERIALIZED (
    SELECT segment, first_no
    FROM (
        SELECT segment, min(evaluation_no) AS first_no FROM observations GROUP BY segment
    ) AS seen
    ANTI JOIN known ON known.segment IS NOT DISTINCT FROM seen.segment
), lives AS MATERIALIZED (
    SELECT row_number() OVER () AS life, *
    FROM (
        SELECT segment, 0::BIGINT AS first_no, state, since_us, clear_since_us, seen_us FROM known
        UNION ALL
        SELECT segment, first_no, 'ok', $first_us + first_no * $period_us, NULL, NULL
        FROM (SELECT * FROM unseen_segments ORDER BY first_no, segment LIMIT $new_segments) AS admitted
    ) AS judged
), series AS MATERIALIZED (
    {series}
), chain AS (
    {chain}
)
SELECT lives.segment, $first_us + chain.evaluation_no * $period_us AS at_us, chain.from_state, chain.state,
       chain.since_us, chain.clear_since_us, chain.value, chain.seen_us,
       chain.evaluation_no = $evaluations - 1 AS is_last,
       -- A segment that was last seen so long ago is forgotten, unless its state waits for it.
       chain.evaluation_no = $evaluations - 1
       AND $first_us + chain.evaluation_no * $period_us - chain.seen_us > $forget_us
       AND (chain.state IN ('ok', 'no_data') OR (chain.state = 'firing' AND definition.no_data <> 'keep')) IS TRUE
           AS is_forgotten,
       greatest((SELECT count(*) FROM unseen_segments) - $new_segments, 0) AS unjudged
FROM chain
JOIN lives ON lives.life = chain.life
CROSS JOIN definition
WHERE chain.evaluation_no >= lives.first_no
  AND (chain.state <> chain.from_state OR chain.evaluation_no = $evaluations - 1)

-- name: series_of_many
-- Of the query judge: what was observed of each segment, one evaluation after another.
SELECT lives.life, list(observations.value ORDER BY numbers.evaluation_no) AS values
FROM lives
CROSS JOIN range($evaluations) AS numbers (evaluation_no)
LEFT JOIN observations
  ON observations.segment IS NOT DISTINCT FROM lives.segment
 AND observations.evaluation_no = numbers.evaluation_no
GROUP BY lives.life

-- name: series_of_one
-- The same where one evaluation is due, as it is as long as nothing is late.
SELECT lives.life, observations.value
FROM lives
LEFT JOIN observations ON observations.segment IS NOT DISTINCT FROM lives.segment

-- name: chain_of_many
-- Of the query judge: the states of each segment, one evaluation after another.
SELECT life, first_no - 1 AS evaluation_no, NULL::VARCHAR AS from_state, state, since_us, clear_since_us,
       NULL::DOUBLE AS value, seen_us
FROM lives
UNION ALL
{next_states}

-- name: next_states
-- The rule itself: from the states and what is observed now to the next states.
SELECT life, evaluation_no, from_state, next_state AS state,
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

-- name: observed_next
-- The states after each evaluation of the chain, and what the next one observes.
SELECT chain.life, chain.evaluation_no + 1 AS evaluation_no, chain.state AS from_state, chain.since_us,
       chain.clear_since_us, $first_us + (chain.evaluation_no + 1) * $period_us AS at_us,
       coalesce(series.values[chain.evaluation_no + 2],
                CASE WHEN definition.no_data = 'zero' THEN 0 END) AS value,
       CASE WHEN series.values[chain.evaluation_no + 2] IS NULL THEN chain.seen_us
            ELSE $first_us + (chain.evaluation_no + 1) * $period_us END AS seen_us,
       definition.no_data, definition.comparison, definition.level, definition.for_s,
       definition.keep_firing_for_s
FROM chain
JOIN series ON series.life = chain.life
CROSS JOIN definition
WHERE chain.evaluation_no < $evaluations - 1

-- name: observed_once
-- The states that are stored, and what the one evaluation that is due observes.
SELECT lives.life, 0::BIGINT AS evaluation_no, lives.state AS from_state, lives.since_us, lives.clear_since_us,
       $first_us AS at_us, coalesce(series.value, CASE WHEN definition.no_data = 'zero' THEN 0 END) AS value,
       CASE WHEN series.value IS NULL THEN lives.seen_us ELSE $first_us END AS seen_us,
       definition.no_data, definition.comparison, definition.level, definition.for_s, definition.keep_firing_for_s
FROM lives
JOIN series ON series.life = lives.life
CROSS JOIN definition

-- name: insert_states
-- What each segment is in after the last evaluation.
INSERT INTO puppylog.alert_states
SELECT $id, segment, state, make_timestamptz(since_us), make_timestamptz(clear_since_us), value,
       make_timestamptz(at_us), make_timestamptz(seen_us)
FROM judged
WHERE is_last AND is_forgotten IS NOT TRUE

-- name: insert_transitions
-- The changes of state, in order; of a segment that fires and is forgotten, a last one.
INSERT INTO puppylog.alert_history
SELECT nextval('puppylog.ids'), $id, segment, make_timestamptz(at_us), from_state, to_state, value, comparison, level,
       make_timestamptz(until_us - $window_us), make_timestamptz(until_us), $now_us - at_us >= $missed_us, now()
FROM (
    SELECT transitions.*, definition.comparison, definition.level,
           (at_us - $delay_us) // $bucket_us * $bucket_us AS until_us
    FROM (
        SELECT segment, at_us, 0 AS turn, from_state, state AS to_state, value FROM judged WHERE state <> from_state
        UNION ALL
        SELECT segment, at_us, 1, 'firing', 'no_data', value FROM judged WHERE is_forgotten AND state = 'firing'
    ) AS transitions
    CROSS JOIN (SELECT comparison, level FROM puppylog.alerts WHERE id = $id) AS definition
    ORDER BY at_us, segment, turn
) AS ordered

-- name: note_evaluation
UPDATE puppylog.alerts
SET evaluated_at = make_timestamptz($evaluated_us), error = NULL, unjudged_segments = $unjudged
WHERE id = $id

-- name: note_failure
UPDATE puppylog.alerts SET evaluated_at = make_timestamptz($evaluated_us), error = $error WHERE id = $id

-- name: note_skipped
-- Missed evaluations that are not caught up. Gaps that follow each other are told as one.
UPDATE puppylog.alerts
SET skipped_since = CASE WHEN skipped_until >= make_timestamptz($since_us) THEN skipped_since
                         ELSE make_timestamptz($since_us) END,
    skipped_until = make_timestamptz($until_us)
WHERE id = $id

-- name: beat
-- One evaluator serves all metrics and alerts; this is its sign of life.
UPDATE puppylog.heartbeat SET beat_at = make_timestamptz($now_us), evaluator = $evaluator, error = $error

-- name: first_beat
INSERT INTO puppylog.heartbeat
SELECT $evaluator, make_timestamptz($now_us), $error WHERE NOT EXISTS (FROM puppylog.heartbeat)
