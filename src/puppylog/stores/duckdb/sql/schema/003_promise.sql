-- Reports are about stored lines: when lines were last stored, how many lines have been read and wait for the store, and
-- whether the file was deleted after it was read to its end.
ALTER TABLE puppylog.stream_reports RENAME COLUMN read_at TO stored_at;
ALTER TABLE puppylog.stream_reports ADD COLUMN waiting_lines BIGINT DEFAULT 0;
ALTER TABLE puppylog.stream_reports ALTER COLUMN waiting_lines SET NOT NULL;
ALTER TABLE puppylog.stream_reports ADD COLUMN finished BOOLEAN DEFAULT false;
ALTER TABLE puppylog.stream_reports ALTER COLUMN finished SET NOT NULL;

-- Why the last refresh of a metric failed, or null.
ALTER TABLE puppylog.metrics ADD COLUMN error VARCHAR;

-- The condition of the records that a ratio is the share of.
ALTER TABLE puppylog.metrics ADD COLUMN of VARCHAR;

-- Segments that the last evaluation observed and did not judge: an alert judges a limited number of segments.
ALTER TABLE puppylog.alerts ADD COLUMN unjudged_segments BIGINT DEFAULT 0;
ALTER TABLE puppylog.alerts ALTER COLUMN unjudged_segments SET NOT NULL;

-- The last evaluations that were missed and are not caught up: after skipped_since, up to skipped_until.
ALTER TABLE puppylog.alerts ADD COLUMN skipped_since TIMESTAMPTZ;
ALTER TABLE puppylog.alerts ADD COLUMN skipped_until TIMESTAMPTZ;

-- When the clock was last set back, and by how much; a row for each kind of instant that was moved to now.
CREATE TABLE puppylog.clock_steps (
    part VARCHAR NOT NULL,            -- alerts, metrics, reports or heartbeat
    noticed_at TIMESTAMPTZ NOT NULL,  -- by the clock that was set back
    back_s DOUBLE NOT NULL,           -- how many seconds the newest instant was in the future
    rebased BIGINT NOT NULL           -- how many rows had an instant in the future
);

-- The metrics whose buckets may lack records until the next refresh.
CREATE VIEW puppylog.metrics_being_checked AS
SELECT id AS metric_id FROM puppylog.metrics WHERE EXISTS (FROM puppylog.invalidations WHERE seq > refreshed_seq);

-- One row: the number of committed transactions. A file in the store's directory has the same number.
CREATE TABLE puppylog.commits (number BIGINT NOT NULL);
INSERT INTO puppylog.commits VALUES (1);

-- The last evaluation that did not fail; null before the first one. The states of the alert's segments are as of then.
ALTER TABLE puppylog.alerts ADD COLUMN judged_at TIMESTAMPTZ;
UPDATE puppylog.alerts SET judged_at = (
    SELECT max(states.evaluated_at) FROM puppylog.alert_states AS states WHERE states.alert_id = alerts.id
);

-- The state of each segment of an alert. Only what is different after an evaluation is written: an alert may have
-- thousands of segments, of which most stay as they are. segment is null when all are judged together, or when the
-- expression gives null.
CREATE TABLE puppylog.segment_states (
    alert_id INTEGER NOT NULL,
    segment VARCHAR,
    state VARCHAR NOT NULL,
    since TIMESTAMPTZ NOT NULL,   -- the evaluation that brought this state
    clear_since TIMESTAMPTZ,      -- firing, but the threshold has not been crossed since then
    value DOUBLE,
    is_seen BOOLEAN NOT NULL,     -- whether the last evaluation observed anything
    seen_at TIMESTAMPTZ           -- if it did not: the last evaluation that did, or null if none has
);
INSERT INTO puppylog.segment_states
SELECT alert_id, segment, state, since, clear_since, value, coalesce(seen_at = evaluated_at, false),
       CASE WHEN seen_at <> evaluated_at THEN seen_at END
FROM puppylog.alert_states;
DROP TABLE puppylog.alert_states;

-- The same with the instants of the last evaluation, and of the last one that observed anything.
CREATE VIEW puppylog.alert_states AS
SELECT states.alert_id, states.segment, states.state, states.since, states.clear_since, states.value,
       alerts.judged_at AS evaluated_at,
       CASE WHEN states.is_seen THEN alerts.judged_at ELSE states.seen_at END AS seen_at
FROM puppylog.segment_states AS states
JOIN puppylog.alerts AS alerts ON alerts.id = states.alert_id;
