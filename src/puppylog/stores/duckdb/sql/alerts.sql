-- Alerts: definitions, states, history, and what they observe.

-- name: list_alerts
-- In the order of their names. Instants in microseconds since the epoch.
SELECT alerts.id, alerts.name, metrics.name AS metric, alerts.statistic, alerts.comparison, alerts.level,
       alerts.window_s, alerts.period_s, alerts.for_s, alerts.keep_firing_for_s, alerts.delay_s, alerts.each_segment,
       alerts.no_data, metrics.id AS metric_id, metrics.statistic AS metric_statistic,
       metrics.period_s AS metric_period_s, epoch_us(alerts.evaluated_at) AS evaluated_us, alerts.error
FROM puppylog.alerts AS alerts
JOIN puppylog.metrics AS metrics ON metrics.id = alerts.metric_id
ORDER BY alerts.name

-- name: insert_alert
-- Its first evaluation is the next one that is due.
INSERT INTO puppylog.alerts
SELECT nextval('puppylog.ids'), $name, $metric_id, $statistic, $comparison, $level, $window_s, $period_s, $for_s,
       $keep_firing_for_s, $delay_s, $each_segment, $no_data, now(), now(), NULL

-- name: delete_alert
DELETE FROM puppylog.alerts WHERE id = $id

-- name: delete_states
DELETE FROM puppylog.alert_states WHERE alert_id = $id

-- name: delete_history
DELETE FROM puppylog.alert_history WHERE alert_id = $id

-- name: states_of
-- What the alert is in now, by segment.
SELECT segment, state, epoch_us(since) AS since_us, epoch_us(clear_since) AS clear_since_us, value,
       epoch_us(evaluated_at) AS evaluated_us, epoch_us(seen_at) AS seen_us
FROM puppylog.alert_states
WHERE alert_id = $id

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

-- name: insert_states
INSERT INTO puppylog.alert_states
SELECT $id, segment, state, make_timestamptz(since_us), make_timestamptz(clear_since_us), value,
       make_timestamptz(evaluated_us), make_timestamptz(seen_us)
FROM states

-- name: insert_signals
INSERT INTO puppylog.alert_history
SELECT nextval('puppylog.ids'), $id, segment, make_timestamptz(at_us), from_state, to_state, value, comparison, level,
       make_timestamptz(window_since_us), make_timestamptz(window_until_us), made_up, now()
FROM signals

-- name: note_evaluation
UPDATE puppylog.alerts SET evaluated_at = make_timestamptz($evaluated_us), error = $error WHERE id = $id

-- name: beat
-- One evaluator serves all metrics and alerts; this is its sign of life.
UPDATE puppylog.heartbeat SET beat_at = now(), evaluator = $evaluator, error = $error

-- name: first_beat
INSERT INTO puppylog.heartbeat
SELECT $evaluator, now(), $error WHERE NOT EXISTS (FROM puppylog.heartbeat)
