-- Notifications: the claim to send, outcomes, silences and acknowledgements.

-- name: claim_sending
-- Whether this session has the claim, or has got it now. It ends with the session. A second lock of one session would
-- have to be released twice.
SELECT CASE
    WHEN EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted
          AND (classid, objid, objsubid) = (1885697639, 7, 2)
    ) THEN true
    ELSE pg_try_advisory_lock(1885697639, 7)
END AS is_claimed

-- name: release_sending
SELECT pg_advisory_unlock(1885697639, 7)

-- name: settle
SELECT puppylog.settle_notifications(
    $ids::bigint[], $states::text[], $ats::timestamptz[], $attempts::integer[], $errors::text[], $due_ats::timestamptz[]
)

-- name: set_silence
SELECT puppylog.set_silence(
    $name, $alert, $segment, $starts_at::timestamptz, $ends_at::timestamptz, $author, $comment, $is_declared
) AS has_changed

-- name: end_silence
SELECT puppylog.end_silence($name, $at::timestamptz) AS is_known

-- name: list_silences
SELECT name, alert, segment, starts_at, ends_at, author, comment, is_declared FROM puppylog.silences
ORDER BY name COLLATE "C"

-- name: acknowledge
-- The number of acknowledged problems; no row if there is no such alert.
SELECT puppylog.acknowledge_alert(alerts.id, $segment, $author, $comment) AS problems
FROM puppylog.alerts AS alerts
WHERE alerts.name = $alert
