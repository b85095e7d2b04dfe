-- Groups, metrics and alerts: the queries that are the same on every kind of store.

-- name: find_group
SELECT id FROM puppylog.log_groups WHERE name = $name

-- name: delete_group
DELETE FROM puppylog.log_groups WHERE id = $id

-- name: metrics_of_group
SELECT name FROM puppylog.metrics WHERE group_id = $id ORDER BY name

-- name: find_report
SELECT stream_id FROM puppylog.stream_reports
WHERE stream_id IN (SELECT id FROM puppylog.log_streams WHERE source_uri = $source_uri)

-- name: delete_report
DELETE FROM puppylog.stream_reports
WHERE stream_id IN (SELECT id FROM puppylog.log_streams WHERE source_uri = $source_uri)

-- name: next_id
SELECT nextval('puppylog.ids') AS id

-- name: list_metrics
-- The metrics in the order of their names, with the columns that only one kind of store has.
SELECT metrics.id, metrics.name, metrics.statistic, metrics.property, metrics.period_s, metrics.segment, metrics.filter,
       metrics.of, metrics.refresh_s, metrics.group_id, groups.name AS group_name{columns}
FROM puppylog.metrics AS metrics
LEFT JOIN puppylog.log_groups AS groups ON groups.id = metrics.group_id
{condition}
ORDER BY metrics.name

-- name: of_metric_name
WHERE metrics.name = $name

-- name: change_refresh
UPDATE puppylog.metrics SET refresh_s = $refresh_s WHERE id = $id

-- name: free_metric_name
-- No metric can be created with the name that the row has then.
UPDATE puppylog.metrics SET name = 'replaced metric' WHERE id = $id

-- name: move_alerts
UPDATE puppylog.alerts SET metric_id = $to_id WHERE metric_id = $from_id

-- name: delete_metric
DELETE FROM puppylog.metrics WHERE id = $id

-- name: create_derived_view
-- The view of a derived metric reads the views of its inputs.
CREATE VIEW metrics.{name} AS
{query}

-- name: observations
SELECT bucket, segment, value FROM metrics.{name}

-- name: drop_view
DROP VIEW metrics.{name}

-- name: alerts_of_metric
SELECT name FROM puppylog.alerts WHERE metric_id = $id ORDER BY name

-- name: list_alerts
-- The alerts in the order of their names, with the columns that only one kind of store has.
SELECT alerts.id, alerts.name, metrics.name AS metric, alerts.statistic, alerts.comparison, alerts.level,
       alerts.window_s, alerts.period_s, alerts.for_s, alerts.keep_firing_for_s, alerts.delay_s, alerts.each_segment,
       alerts.no_data, alerts.contacts, alerts.group_wait_s, alerts.repeat_s, alerts.severity, alerts.summary{columns}
FROM puppylog.alerts AS alerts
JOIN puppylog.metrics AS metrics ON metrics.id = alerts.metric_id
{condition}
ORDER BY alerts.name

-- name: of_alert_name
WHERE alerts.name = $name

-- name: insert_alert
-- The alert's first evaluation is due one period from now.
INSERT INTO puppylog.alerts (id, name, metric_id, statistic, comparison, level, window_s, period_s, for_s,
                             keep_firing_for_s, delay_s, each_segment, no_data, contacts, group_wait_s, repeat_s,
                             severity, summary, created_at, evaluated_at)
SELECT nextval('puppylog.ids'), $name, $metric_id, $statistic, $comparison, $level, $window_s, $period_s, $for_s,
       $keep_firing_for_s, $delay_s, $each_segment, $no_data, $contacts, $group_wait_s, $repeat_s, $severity, $summary,
       now(), now()

-- name: update_alert
-- The new definition judges from now on. Evaluations that were due before are not caught up.
UPDATE puppylog.alerts
SET statistic = $statistic, comparison = $comparison, level = $level, window_s = $window_s, period_s = $period_s,
    for_s = $for_s, keep_firing_for_s = $keep_firing_for_s, delay_s = $delay_s, no_data = $no_data,
    contacts = $contacts, group_wait_s = $group_wait_s, repeat_s = $repeat_s, severity = $severity, summary = $summary,
    evaluated_at = now(), error = NULL
WHERE id = $id

-- name: change_telling
-- Changes who is told of an alert, and how. The alert is evaluated as before.
UPDATE puppylog.alerts
SET contacts = $contacts, group_wait_s = $group_wait_s, repeat_s = $repeat_s, severity = $severity, summary = $summary
WHERE id = $id

-- name: tell_deletion
-- Adds a resolved row to the outbox for each contact whose newest row of the alert and a segment is a problem.
INSERT INTO puppylog.notifications (id, alert_id, alert, segment, contact, kind, evaluated_at, episode_at, reason, state,
                                    due_at, attempts, created_at)
SELECT nextval('puppylog.notification_ids'), alert_id, alert, segment, contact, 'resolved', now(), episode_at, $reason,
       'waiting', now(), 0, now()
FROM (
    SELECT *, row_number() OVER (PARTITION BY segment, contact ORDER BY id DESC) AS place
    FROM puppylog.notifications
    WHERE alert_id = $id
) AS newest
WHERE place = 1 AND kind <> 'resolved'
ORDER BY segment, contact

-- name: delete_alert
DELETE FROM puppylog.alerts WHERE id = $id
