-- Rejected lines that have been read again, and become records.

-- name: take_turn
-- One replay at a time: two that lock the same lines in another order would wait for each other. Until the transaction
-- ends.
SELECT pg_advisory_xact_lock(hashtext('puppylog.replay'))

-- name: take_lines
-- Of one file, which is on one node whatever the flavour. Gives those that were rejected lines still.
DELETE FROM puppylog.rejected_lines
WHERE stream_id = $stream_id AND file_id = $file_id AND line_offset = ANY($line_offsets::bigint[])
RETURNING line_offset

-- name: note_cause
-- Why these lines of a file can not become records.
UPDATE puppylog.rejected_lines SET reason = $reason
WHERE stream_id = $stream_id AND file_id = $file_id AND line_offset = ANY($line_offsets::bigint[])
