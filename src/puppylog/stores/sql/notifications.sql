-- Queries of people about notifications. They only read, and are the same on every kind of store.

-- name: notifications
-- The $most newest notifications of a state, an alert and a contact; null is any.
SELECT id, created_at, alert, segment, contact, kind, state, due_at, attempts, tried_at, sent_at, error
FROM (
    SELECT id, created_at, alert, segment, contact, kind, state, due_at, attempts, tried_at, sent_at, error
    FROM puppylog.notifications
    WHERE state = coalesce($state, state) AND alert = coalesce($alert, alert) AND contact = coalesce($contact, contact)
    ORDER BY id DESC
    LIMIT $most
) AS newest
ORDER BY id

-- name: notifications_count
-- The number of these notifications, counted up to $most.
SELECT count(*) AS n
FROM (
    SELECT id
    FROM puppylog.notifications
    WHERE state = coalesce($state, state) AND alert = coalesce($alert, alert) AND contact = coalesce($contact, contact)
    LIMIT $most
) AS counted

-- name: unsent_notifications
-- The $most newest notifications that are overdue by $late_s seconds, or that died within the last $dead_s seconds. age_s
-- is the time since they were due first, or died.
SELECT id, alert, segment, contact, state, attempts, error,
       extract(epoch FROM now() - CASE WHEN state = 'dead' THEN tried_at ELSE created_at END)::DOUBLE PRECISION AS age_s
FROM puppylog.notifications
WHERE (state = 'dead' AND tried_at > now() - $dead_s * INTERVAL '1 second')
   OR (state = 'waiting' AND created_at < now() - $late_s * INTERVAL '1 second'
       AND (attempts > 0 OR due_at < now() - $late_s * INTERVAL '1 second'))
ORDER BY id DESC
LIMIT $most

-- name: store_clock
-- The store's clock, by which silences begin and end.
SELECT now() AS now

-- name: dead_notification
-- The notification $id if it is dead, and whether it is the newest about its alert and segment for its contact.
SELECT dead.alert, dead.contact, NOT EXISTS (
           SELECT 1
           FROM puppylog.notifications AS later
           WHERE later.alert_id = dead.alert_id AND later.contact = dead.contact
             AND later.segment IS NOT DISTINCT FROM dead.segment AND later.id > dead.id
       ) AS is_newest
FROM puppylog.notifications AS dead
WHERE dead.id = $id AND dead.state = 'dead'

-- name: silences
-- All silences that the store knows, in the order of their names.
SELECT name, alert, segment, starts_at, ends_at, author, comment, is_declared
FROM puppylog.silences
ORDER BY name
