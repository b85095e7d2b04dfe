-- The steps of a round of jobs, for a client that runs them.

-- name: try_to_lead
-- Only one client at a time runs the jobs of a database, until its session ends.
SELECT pg_try_advisory_lock(1885697639, 6) AS leads

-- name: take_invalidations
SELECT puppylog.take_invalidations() AS is_taken

-- name: metrics_due
SELECT id FROM puppylog.metrics_due() AS due (id)

-- name: metrics
-- All metrics, whether they are due or not.
SELECT id FROM puppylog.metrics_due('infinity') AS due (id)

-- name: refresh
SELECT puppylog.refresh_rollup($id)

-- name: rebase_clock
SELECT puppylog.rebase_clock()

-- name: alerts_due
-- The due alerts that are catching up, or the other due alerts.
SELECT id FROM puppylog.alerts_due(catching_up => $catching_up) AS due (id)

-- name: evaluate
SELECT puppylog.evaluate_alert($id) AS is_more_due

-- name: tend_days
SELECT puppylog.tend_days()

-- name: clear_notifications
SELECT puppylog.clear_notifications()

-- name: clear_requests
SELECT puppylog.clear_requests()

-- name: beat
SELECT puppylog.beat($evaluator, $error)

-- name: wake_jobs
-- Makes the jobs of TimescaleDB run now that would wait because the clock was set back.
SELECT puppylog.wake_jobs()
