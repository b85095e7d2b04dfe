-- What a collector says of a stream is of what is stored: when lines were last stored, how many have been read and wait for
-- the store, and whether the file was read to its end and is gone.
ALTER TABLE puppylog.stream_reports RENAME COLUMN read_at TO stored_at;
ALTER TABLE puppylog.stream_reports ADD COLUMN waiting_lines bigint NOT NULL DEFAULT 0;
ALTER TABLE puppylog.stream_reports ADD COLUMN finished boolean NOT NULL DEFAULT false;
-- Both are among its arguments.
DROP FUNCTION IF EXISTS puppylog.report_streams(
    integer[], bigint[], double precision[], double precision[], double precision[], bigint[], bigint[], text[], text[],
    boolean[]
);

-- Segments that the last evaluation observed and did not judge: an alert judges a limited number of segments.
ALTER TABLE puppylog.alerts ADD COLUMN unjudged_segments bigint NOT NULL DEFAULT 0;

-- The last evaluations that were missed and are not caught up: after skipped_since, up to skipped_until.
ALTER TABLE puppylog.alerts ADD COLUMN skipped_since timestamptz;
ALTER TABLE puppylog.alerts ADD COLUMN skipped_until timestamptz;

-- When the clock was last found to have been set back, and by how much; a row for each kind of instant that was re-based.
CREATE TABLE puppylog.clock_steps (
    part text PRIMARY KEY,            -- alerts, metrics, reports or heartbeat
    noticed_at timestamptz NOT NULL,  -- by the clock that had been set back
    back_s double precision NOT NULL, -- how far the newest instant lay in the future, in seconds
    rebased bigint NOT NULL           -- how many rows had an instant in the future
);

-- They take or return more than before.
DROP FUNCTION IF EXISTS puppylog.observe_alert(puppylog.alerts, puppylog.metrics, timestamptz, integer);
DROP FUNCTION IF EXISTS puppylog.alerts_due(timestamptz);

-- These routines have got another argument, or are not there any more.
DROP FUNCTION IF EXISTS puppylog.stale_ranges(integer);
DROP FUNCTION IF EXISTS puppylog.refresh_rollup(integer, timestamptz);
DROP FUNCTION IF EXISTS puppylog.is_refreshed(integer, timestamptz, timestamptz);
DROP FUNCTION IF EXISTS puppylog.note_refresh(integer);
DROP PROCEDURE IF EXISTS puppylog.refresh_range(integer, timestamptz, timestamptz);
DROP PROCEDURE IF EXISTS puppylog.refresh_touched(integer);

-- The watermark of a continuous aggregate says how far its buckets have been compared with the records. Until now it
-- said how far TimescaleDB had refreshed them, and some were left out for good: all of them are compared once more.
UPDATE puppylog.metrics SET watermark = '-infinity' WHERE kind = 'continuous_aggregate';

-- The metrics that have buckets which may lack records, until they have been refreshed and counted.
CREATE VIEW puppylog.metrics_being_checked AS SELECT DISTINCT metric_id FROM puppylog.touched_ranges;

-- Before a file is begun as a new one, it is looked for among the files of all streams.
CREATE INDEX ON puppylog.log_files (device, inode);
CREATE INDEX ON puppylog.log_files (head_hash, head_size);
