-- Replacing rejected lines by records.

-- name: find_rejected
-- The lines of `reread` that are still stored as rejected.
SELECT DISTINCT reread.file_id, reread.rejected_offset
FROM reread
JOIN puppylog.rejected_lines AS lines
  ON lines.file_id = reread.file_id AND lines.line_offset = reread.rejected_offset

-- name: count_lines
SELECT count(*) AS lines FROM (SELECT DISTINCT file_id, rejected_offset FROM reread)

-- name: forget_rejected
DELETE FROM puppylog.rejected_lines AS lines
USING found
WHERE lines.file_id = found.file_id AND lines.line_offset = found.rejected_offset
