-- Replacing rejected lines by records.

-- name: take_turn
-- Only one replay at a time, until its transaction ends: two replays that lock the same lines in a different order would
-- wait for each other.
SELECT pg_advisory_xact_lock(hashtext('puppylog.replay'))

-- name: take_lines
-- Deletes lines of one file, whose lines are on one node on every flavour. Returns the lines that were still rejected.
DELETE FROM puppylog.rejected_lines
WHERE stream_id = $stream_id AND file_id = $file_id AND line_offset = ANY($line_offsets::bigint[])
RETURNING line_offset

-- name: note_cause
-- Stores the cause why these lines of a file cannot become records.
UPDATE puppylog.rejected_lines SET reason = $reason
WHERE stream_id = $stream_id AND file_id = $file_id AND line_offset = ANY($line_offsets::bigint[])
