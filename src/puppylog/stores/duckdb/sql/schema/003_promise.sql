-- What a collector says of a stream is of what is stored: when lines were last stored, how many have been read and wait for
-- the store, and whether the file was read to its end and is gone.
ALTER TABLE puppylog.stream_reports RENAME COLUMN read_at TO stored_at;
ALTER TABLE puppylog.stream_reports ADD COLUMN waiting_lines BIGINT DEFAULT 0;
ALTER TABLE puppylog.stream_reports ALTER COLUMN waiting_lines SET NOT NULL;
ALTER TABLE puppylog.stream_reports ADD COLUMN finished BOOLEAN DEFAULT false;
ALTER TABLE puppylog.stream_reports ALTER COLUMN finished SET NOT NULL;

-- Why the last refresh of a metric failed, or null.
ALTER TABLE puppylog.metrics ADD COLUMN error VARCHAR;

-- Segments that the last evaluation observed and did not judge: an alert judges a limited number of segments.
ALTER TABLE puppylog.alerts ADD COLUMN unjudged_segments BIGINT DEFAULT 0;
ALTER TABLE puppylog.alerts ALTER COLUMN unjudged_segments SET NOT NULL;

-- The last evaluations that were missed and are not caught up: after skipped_since, up to skipped_until.
ALTER TABLE puppylog.alerts ADD COLUMN skipped_since TIMESTAMPTZ;
ALTER TABLE puppylog.alerts ADD COLUMN skipped_until TIMESTAMPTZ;

-- When the clock was last found to have been set back, and by how much; a row for each kind of instant that was re-based.
CREATE TABLE puppylog.clock_steps (
    part VARCHAR NOT NULL,            -- alerts, metrics, reports or heartbeat
    noticed_at TIMESTAMPTZ NOT NULL,  -- by the clock that had been set back
    back_s DOUBLE NOT NULL,           -- how far the newest instant lay in the future, in seconds
    rebased BIGINT NOT NULL           -- how many rows had an instant in the future
);

-- The metrics that have buckets which may lack records, until they have been refreshed.
CREATE VIEW puppylog.metrics_being_checked AS
SELECT id AS metric_id FROM puppylog.metrics WHERE EXISTS (FROM puppylog.invalidations WHERE seq > refreshed_seq);

-- How many transactions have been committed: one row. The store's directory holds the number a second time.
CREATE TABLE puppylog.commits (number BIGINT NOT NULL);
INSERT INTO puppylog.commits VALUES (1);
