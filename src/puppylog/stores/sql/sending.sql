-- Queries of the sender of notifications. They only read, and are the same on every kind of store.

-- name: sending_clock
-- The store's clock and id, and how many notifications wait.
SELECT now() AS now, (SELECT max(id) FROM puppylog.store_ids) AS store_id,
       (SELECT count(*) FROM puppylog.notifications WHERE state = 'waiting') AS waiting

-- name: waiting_notifications
-- The $most oldest notifications that wait.
SELECT id, history_id, alert, segment, contact, kind, due_at, created_at, evaluated_at, value, reason, attempts
FROM puppylog.notifications
WHERE state = 'waiting'
ORDER BY id
LIMIT $most

-- name: told_problems
-- For each alert, segment and contact whose last message is a problem: the row of that message, and the beginning of the
-- episode: of the first problem that was sent after the last resolved message. Left out are those of which no row waits
-- and whose problem has ended: nothing is decided about them.
WITH subjects AS (
    SELECT alert_id, segment FROM puppylog.notifications WHERE state = 'waiting'
    UNION
    SELECT alert_id, segment FROM puppylog.alert_states WHERE state IN ('firing', 'no_data')
), sent AS (
    SELECT rows.id, rows.alert_id, rows.segment, rows.contact, rows.kind
    FROM puppylog.notifications AS rows
    JOIN subjects
      ON subjects.alert_id = rows.alert_id AND coalesce(subjects.segment, '') = coalesce(rows.segment, '')
     AND (subjects.segment IS NULL) = (rows.segment IS NULL)
    WHERE rows.sent_at IS NOT NULL
), ranked AS (
    SELECT id, kind, max(id) OVER subject AS newest_id,
           max(CASE WHEN kind = 'resolved' THEN id ELSE 0 END) OVER subject AS resolved_id
    FROM sent
    WINDOW subject AS (PARTITION BY alert_id, segment, contact)
), episodes AS (
    SELECT newest_id AS id, min(id) AS first_id
    FROM ranked
    WHERE id > resolved_id
    GROUP BY newest_id
)
SELECT told.id, told.history_id, told.alert, told.segment, told.contact, told.kind, told.sent_at, told.attempts,
       begun.evaluated_at AS episode_at, coalesce(alerts.repeat_s, 0) AS repeat_s,
       coalesce(alerts.group_wait_s, 0) AS group_wait_s,
       (
           SELECT max(known.author || CASE WHEN known.comment = '' THEN '' ELSE ': ' || known.comment END)
           FROM puppylog.acknowledgements AS known
           WHERE known.alert_id = told.alert_id AND known.segment IS NOT DISTINCT FROM told.segment
             AND known.history_id >= told.history_id
       ) AS acknowledgement
FROM episodes
JOIN puppylog.notifications AS told ON told.id = episodes.id
JOIN puppylog.notifications AS begun ON begun.id = episodes.first_id
LEFT JOIN puppylog.alerts AS alerts ON alerts.id = told.alert_id
ORDER BY told.id

-- name: states_of_alerts
-- The states of alerts and segments that are not OK.
SELECT alerts.name AS alert, states.segment, states.state, states.value
FROM puppylog.alert_states AS states
JOIN puppylog.alerts AS alerts ON alerts.id = states.alert_id
WHERE states.state <> 'ok'

-- name: notified_transition
-- The window of one transition, and what is known of its evaluation.
SELECT window_since, window_until, made_up, evidence_omitted
FROM puppylog.alert_history
WHERE id = $history_id

-- name: evidence
-- The sample records of one transition, the newest first, each with the source of its stream.
SELECT evidence.ts, CAST(evidence.record AS TEXT) AS record, streams.source_uri
FROM puppylog.alert_evidence AS evidence
LEFT JOIN puppylog.log_streams AS streams ON streams.id = evidence.stream_id
WHERE evidence.history_id = $history_id
ORDER BY evidence.place

-- name: observations_before
-- The observations of a metric, or of one segment of it, in a time range.
SELECT bucket, value
FROM metrics.{metric}
WHERE bucket >= $since::TIMESTAMPTZ AND bucket < $until::TIMESTAMPTZ
  AND coalesce(segment, '') = coalesce($segment, segment, '')
ORDER BY bucket

-- name: sources_of_streams
-- The source of each stream, for metrics whose segments are streams.
SELECT CAST(id AS TEXT) AS stream, source_uri
FROM puppylog.log_streams
