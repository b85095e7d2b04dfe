-- Queries for monitoring systems that ask every few seconds. They only read small tables, and are the same on every kind
-- of store.

-- name: alert_counts
-- The alerts, each with the number of its segments in each state. The state is null if the alert was not evaluated yet.
SELECT alerts.name, alerts.severity, states.state, alerts.error IS NOT NULL AS has_failed, count(*) AS segments,
       min(states.since) AS since
FROM puppylog.alerts AS alerts
LEFT JOIN puppylog.alert_states AS states ON states.alert_id = alerts.id
GROUP BY alerts.name, alerts.severity, states.state, alerts.error IS NOT NULL
ORDER BY alerts.name, states.state

-- name: outbox
-- The numbers of notifications that wait and that were given up, by contact.
SELECT contact, state, count(*) AS notifications
FROM puppylog.notifications
WHERE state IN ('waiting', 'dead')
GROUP BY contact, state
ORDER BY contact, state

-- name: bucket
-- The observations of one bucket of a metric, the largest first, and the number of all.
SELECT segment, value, count(*) OVER () AS segments
FROM metrics.{metric}
WHERE bucket = $bucket::TIMESTAMPTZ
ORDER BY value DESC NULLS LAST, segment
LIMIT $most

-- name: clock
-- The store's own time.
SELECT now() AS now
