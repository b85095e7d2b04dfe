-- Sample records and rows of the outbox, which a transition gets in its transaction, and what becomes of them.

-- name: samples_of_all
-- The newest records of a range of time that a metric counts.
SELECT NULL::VARCHAR AS segment, {columns}
FROM puppylog.log_records
WHERE ts >= make_timestamptz({since_us}) AND ts < make_timestamptz({until_us}) AND ({condition}){streams}
ORDER BY ts DESC, file_id DESC, line_offset DESC
LIMIT {most}

-- name: samples_of_each
-- The same for each segment in the table `wanted`, which has the number of records for each segment.
SELECT segment, {columns}
FROM (
    SELECT log_records.*, wanted.segment,
           row_number() OVER (PARTITION BY wanted.no ORDER BY ts DESC, file_id DESC, line_offset DESC) AS place,
           wanted.most
    FROM puppylog.log_records
    JOIN wanted ON wanted.segment IS NOT DISTINCT FROM ({segment})
    WHERE ts >= make_timestamptz({since_us}) AND ts < make_timestamptz({until_us}) AND ({condition}){streams}
) AS numbered
WHERE place <= most
ORDER BY ts DESC, file_id DESC, line_offset DESC

-- name: of_group
 AND stream_id IN (SELECT id FROM puppylog.log_streams WHERE group_id = {group_id})

-- name: columns
-- Texts are longer than {longest} characters only if they must be cut. Attributes that are too long are the empty text.
ts, stream_id, file_id, line_offset, {texts}, status_code, response_bytes,
CASE WHEN strlen(CAST(attributes AS VARCHAR)) > {max_attributes} THEN '' ELSE CAST(attributes AS VARCHAR) END AS attributes

-- name: text_column
left({name}, {longest} + 1) AS {name}

-- name: insert_evidence
INSERT INTO puppylog.alert_evidence (history_id, place, ts, stream_id, file_id, line_offset, record, recorded_at)
SELECT history_id, place, ts, stream_id, file_id, line_offset, record, now() FROM samples

-- name: note_omitted
UPDATE puppylog.alert_history AS history
SET evidence_omitted = omitted.reason
FROM omitted
WHERE history.id = omitted.history_id

-- name: unresolved
-- The contacts whose newest row of an alert in the table `asked` and a segment is a problem.
SELECT alert_id, segment, contact, arg_max(episode_at, id) AS episode_at
FROM puppylog.notifications
WHERE alert_id IN (SELECT alert_id FROM asked)
GROUP BY alert_id, segment, contact
HAVING arg_max(kind, id) <> 'resolved'

-- name: insert_notifications
-- Adds the rows in the table `added`, in their order.
INSERT INTO puppylog.notifications (id, history_id, alert_id, alert, segment, contact, kind, evaluated_at, episode_at, value,
                                    reason, state, due_at, attempts, created_at)
SELECT nextval('puppylog.notification_ids'), history_id, alert_id, alert, segment, contact, kind, evaluated_at, episode_at,
       value, reason, 'waiting', now() + to_seconds(group_wait_s), 0, now()
FROM (
    SELECT added.*, alerts.name AS alert, alerts.group_wait_s
    FROM added
    JOIN puppylog.alerts AS alerts ON alerts.id = added.alert_id
    ORDER BY no
) AS ordered

-- name: delete_evidence
DELETE FROM puppylog.alert_evidence
WHERE history_id IN (SELECT id FROM puppylog.alert_history WHERE alert_id = $id)

-- name: delete_acknowledgements
DELETE FROM puppylog.acknowledgements WHERE alert_id = $id

-- name: clear_evidence
DELETE FROM puppylog.alert_evidence WHERE recorded_at < make_timestamptz($oldest_us)

-- name: clear_notifications
-- Deletes old rows. The newest row of an alert, segment and contact stays if it is a problem, because a resolved row must
-- follow it.
DELETE FROM puppylog.notifications
WHERE created_at < make_timestamptz($oldest_us) AND id NOT IN (
    SELECT max(id) FROM puppylog.notifications GROUP BY alert_id, segment, contact HAVING arg_max(kind, id) <> 'resolved'
)

-- name: clear_silences
DELETE FROM puppylog.silences WHERE ends_at < make_timestamptz($oldest_us)

-- name: clear_acknowledgements
-- Deletes the acknowledgements of states that have ended.
DELETE FROM puppylog.acknowledgements
WHERE NOT EXISTS (
    FROM puppylog.segment_states AS states
    WHERE states.alert_id = acknowledgements.alert_id AND states.segment IS NOT DISTINCT FROM acknowledgements.segment
      AND states.state IN ('firing', 'no_data')
)

-- name: settle
-- Stores the outcomes in the table `outcomes`. A row that was dropped stays as it is, and a row that is dead waits again
-- if a person wants so. A row that was sent changes only if it was sent again.
UPDATE puppylog.notifications AS stored
SET state = outcomes.state, attempts = outcomes.attempts, error = outcomes.error,
    due_at = coalesce(outcomes.due_at, stored.due_at),
    tried_at = CASE WHEN outcomes.state = 'dropped' THEN stored.tried_at ELSE outcomes.at END,
    sent_at = CASE WHEN outcomes.state = 'sent' THEN outcomes.at ELSE stored.sent_at END
FROM outcomes
WHERE stored.id = outcomes.id
  AND (stored.state = 'waiting' OR (stored.state, outcomes.state) IN (('sent', 'sent'), ('dead', 'waiting')))

-- name: list_silences
SELECT name, alert, segment, starts_at, ends_at, author, comment, is_declared FROM puppylog.silences ORDER BY name

-- name: insert_silence
INSERT INTO puppylog.silences
SELECT nextval('puppylog.ids'), $name, $alert, $segment, $starts_at::TIMESTAMPTZ, $ends_at::TIMESTAMPTZ, $author, $comment,
       $is_declared, now()

-- name: update_silence
UPDATE puppylog.silences
SET alert = $alert, segment = $segment, starts_at = $starts_at::TIMESTAMPTZ, ends_at = $ends_at::TIMESTAMPTZ,
    author = $author, comment = $comment, is_declared = $is_declared
WHERE name = $name

-- name: delete_silence
DELETE FROM puppylog.silences WHERE name = $name

-- name: end_silence
UPDATE puppylog.silences SET ends_at = least(ends_at, $at::TIMESTAMPTZ) WHERE name = $name

-- name: delete_earlier_acknowledgements
DELETE FROM puppylog.acknowledgements
WHERE alert_id = $id AND EXISTS (
    FROM puppylog.segment_states AS states
    WHERE states.alert_id = $id AND states.segment IS NOT DISTINCT FROM acknowledgements.segment
      AND states.state IN ('firing', 'no_data') AND ($segment IS NULL OR states.segment = $segment)
)

-- name: acknowledge
-- Acknowledges the problems of an alert, or of one segment; a row for each.
INSERT INTO puppylog.acknowledgements
SELECT $id, states.segment, coalesce(history.id, 0), $author, $comment, now()
FROM puppylog.segment_states AS states
LEFT JOIN (
    SELECT segment, max(id) AS id FROM puppylog.alert_history WHERE alert_id = $id GROUP BY segment
) AS history ON history.segment IS NOT DISTINCT FROM states.segment
WHERE states.alert_id = $id AND states.state IN ('firing', 'no_data') AND ($segment IS NULL OR states.segment = $segment)
RETURNING segment
