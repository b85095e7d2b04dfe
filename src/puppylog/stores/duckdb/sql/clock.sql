-- Stored instants are in the future if the clock was set back. They are moved to now, so that no job waits until the
-- clock shows the old time again.

-- name: rebase_states
-- Must come before rebase_alerts, which moves the instant that this looks at.
UPDATE puppylog.segment_states
SET since = least(since, make_timestamptz($now_us)),
    clear_since = CASE WHEN clear_since IS NOT NULL THEN least(clear_since, make_timestamptz($now_us)) END,
    seen_at = CASE WHEN seen_at IS NOT NULL THEN least(seen_at, make_timestamptz($now_us)) END
WHERE alert_id IN (
    SELECT id FROM puppylog.alerts WHERE judged_at > make_timestamptz($now_us) AND id = coalesce($id, id)
)

-- name: rebase_alerts
UPDATE puppylog.alerts
SET evaluated_at = make_timestamptz($now_us),
    judged_at = CASE WHEN judged_at IS NOT NULL THEN least(judged_at, make_timestamptz($now_us)) END
WHERE evaluated_at > make_timestamptz($now_us) AND id = coalesce($id, id)

-- name: metrics_ahead
-- Metrics that are materialized beyond now.
SELECT id, period_s FROM puppylog.metrics WHERE watermark > make_timestamptz($now_us)

-- name: lower_watermark
-- Buckets above the watermark are computed when they are read.
UPDATE puppylog.metrics SET watermark = make_timestamptz($watermark_us) WHERE id = $id

-- name: clear_above
DELETE FROM puppylog.rollup_{id} WHERE bucket >= make_timestamptz($watermark_us)

-- name: rebase_refreshes
UPDATE puppylog.metrics SET refreshed_at = make_timestamptz($now_us) WHERE refreshed_at > make_timestamptz($now_us)

-- name: rebase_reports
-- The report becomes a report of now. The durations in the report stay the same.
UPDATE puppylog.stream_reports
SET reported_at = make_timestamptz($now_us), stored_at = stored_at - (reported_at - make_timestamptz($now_us)),
    behind_since = behind_since - (reported_at - make_timestamptz($now_us))
WHERE reported_at > make_timestamptz($now_us)

-- name: rebase_heartbeat
UPDATE puppylog.heartbeat SET beat_at = make_timestamptz($now_us) WHERE beat_at > make_timestamptz($now_us)

-- name: rebase_notifications
-- The time that a row waits stays the same.
UPDATE puppylog.notifications
SET due_at = due_at - (greatest(created_at, tried_at) - make_timestamptz($now_us)),
    created_at = least(created_at, make_timestamptz($now_us)),
    tried_at = CASE WHEN tried_at IS NOT NULL THEN least(tried_at, make_timestamptz($now_us)) END,
    sent_at = CASE WHEN sent_at IS NOT NULL THEN least(sent_at, make_timestamptz($now_us)) END
WHERE greatest(created_at, tried_at) > make_timestamptz($now_us)

-- name: rebase_requests
UPDATE puppylog.received_requests SET received_at = make_timestamptz($now_us) WHERE received_at > make_timestamptz($now_us)

-- name: rebase_steps
UPDATE puppylog.clock_steps SET noticed_at = make_timestamptz($now_us) WHERE noticed_at > make_timestamptz($now_us)

-- name: instants_ahead
-- The number of future instants of each kind, and how many seconds the last of them is ahead. The watermark of a metric may
-- be in the future if some records of its last bucket were dropped before the end of the bucket.
SELECT part, count(*) AS rebased, (max(epoch_us(instant)) - $now_us) / 1e6 AS back_s
FROM (
    SELECT 'alerts' AS part, evaluated_at AS instant FROM puppylog.alerts
    UNION ALL
    SELECT 'metrics', greatest(CASE WHEN watermark > coalesce(before, '-infinity') + to_seconds(period_s) THEN watermark END,
                               refreshed_at)
    FROM puppylog.metrics
    CROSS JOIN puppylog.dropped
    UNION ALL
    SELECT 'reports', reported_at FROM puppylog.stream_reports
    UNION ALL
    SELECT 'heartbeat', beat_at FROM puppylog.heartbeat
    UNION ALL
    SELECT 'notifications', greatest(created_at, tried_at) FROM puppylog.notifications
    UNION ALL
    SELECT 'requests', received_at FROM puppylog.received_requests
) AS stored
WHERE instant > make_timestamptz($now_us)
GROUP BY part

-- name: forget_step
DELETE FROM puppylog.clock_steps WHERE part = $part

-- name: note_step
INSERT INTO puppylog.clock_steps VALUES ($part, make_timestamptz($now_us), $back_s, $rebased)
