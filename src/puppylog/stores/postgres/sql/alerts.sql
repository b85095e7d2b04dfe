-- Alerts: definitions. What they do is in the routines.

-- name: list_alerts
-- In the order of their names.
SELECT alerts.id, alerts.name, metrics.name AS metric, alerts.statistic, alerts.comparison, alerts.level,
       alerts.window_s, alerts.period_s, alerts.for_s, alerts.keep_firing_for_s, alerts.delay_s, alerts.each_segment,
       alerts.no_data
FROM puppylog.alerts AS alerts
JOIN puppylog.metrics AS metrics ON metrics.id = alerts.metric_id
ORDER BY alerts.name

-- name: insert_alert
-- Its first evaluation is the next one that is due.
INSERT INTO puppylog.alerts
SELECT nextval('puppylog.ids'), $name, $metric_id, $statistic, $comparison, $level, $window_s, $period_s, $for_s,
       $keep_firing_for_s, $delay_s, $each_segment, $no_data, now(), now(), NULL

-- name: delete_alert
-- With its states and its history.
DELETE FROM puppylog.alerts WHERE name = $name

-- name: lock_definitions
-- One at a time defines or deletes; whoever only looks is not concerned.
-- What is defined stays on this node: on Citus, its workers have no use for it, and elsewhere the setting means nothing.
SELECT pg_advisory_xact_lock(1885697639, 5), set_config('citus.enable_ddl_propagation', 'off', true)
