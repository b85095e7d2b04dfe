-- Reports are about stored lines: when lines were last stored, how many lines have been read and wait for the store, and
-- whether the file was deleted after it was read to its end.
ALTER TABLE puppylog.stream_reports RENAME COLUMN read_at TO stored_at;
ALTER TABLE puppylog.stream_reports ADD COLUMN waiting_lines bigint NOT NULL DEFAULT 0;
ALTER TABLE puppylog.stream_reports ADD COLUMN finished boolean NOT NULL DEFAULT false;
-- The function now has both as arguments.
DROP FUNCTION IF EXISTS puppylog.report_streams(
    integer[], bigint[], double precision[], double precision[], double precision[], bigint[], bigint[], text[], text[],
    boolean[]
);

-- The condition of the records that a ratio is the share of.
ALTER TABLE puppylog.metrics ADD COLUMN of text;

-- Segments that the last evaluation observed and did not judge: an alert judges a limited number of segments.
ALTER TABLE puppylog.alerts ADD COLUMN unjudged_segments bigint NOT NULL DEFAULT 0;

-- The last evaluations that were missed and are not caught up: after skipped_since, up to skipped_until.
ALTER TABLE puppylog.alerts ADD COLUMN skipped_since timestamptz;
ALTER TABLE puppylog.alerts ADD COLUMN skipped_until timestamptz;

-- When the clock was last set back, and by how much; a row for each kind of instant that was moved to now.
CREATE TABLE puppylog.clock_steps (
    part text PRIMARY KEY,            -- alerts, metrics, reports or heartbeat
    noticed_at timestamptz NOT NULL,  -- by the clock that was set back
    back_s double precision NOT NULL, -- how many seconds the newest instant was in the future
    rebased bigint NOT NULL           -- how many rows had an instant in the future
);

-- These functions have new arguments or new columns.
DROP FUNCTION IF EXISTS puppylog.observe_alert(puppylog.alerts, puppylog.metrics, timestamptz, integer);
DROP FUNCTION IF EXISTS puppylog.alerts_due(timestamptz);

-- These routines have new arguments, or are not used any more.
DROP FUNCTION IF EXISTS puppylog.stale_ranges(integer);
DROP FUNCTION IF EXISTS puppylog.refresh_rollup(integer, timestamptz);
DROP FUNCTION IF EXISTS puppylog.is_refreshed(integer, timestamptz, timestamptz);
DROP FUNCTION IF EXISTS puppylog.note_refresh(integer);
DROP PROCEDURE IF EXISTS puppylog.refresh_range(integer, timestamptz, timestamptz);
DROP PROCEDURE IF EXISTS puppylog.refresh_touched(integer);

-- The watermark of a continuous aggregate now is the end of the buckets that have been compared with the records. Before,
-- it was the end of TimescaleDB's refreshes, which left out some buckets for ever. So all buckets are compared again.
UPDATE puppylog.metrics SET watermark = '-infinity' WHERE kind = 'continuous_aggregate';

-- The metrics whose buckets may lack records until they have been refreshed and counted.
CREATE VIEW puppylog.metrics_being_checked AS SELECT DISTINCT metric_id FROM puppylog.touched_ranges;

-- Before a file is registered as new, it is searched among the files of all streams.
CREATE INDEX ON puppylog.log_files (device, inode);
CREATE INDEX ON puppylog.log_files (head_hash, head_size);
