-- Which records the store keeps.

-- name: read_retention
SELECT installation.drop_after_s AS keep_s, retention.max_bytes
FROM puppylog.installation AS installation
CROSS JOIN puppylog.retention AS retention

-- name: read_groups
SELECT group_name, keep_s FROM puppylog.retention_groups ORDER BY group_name

-- name: note_dropped
-- Records may be gone that the next setting keeps.
UPDATE puppylog.retention SET dropped_before = puppylog.oldest_kept() WHERE isfinite(puppylog.oldest_kept())

-- name: flavour
SELECT flavour FROM puppylog.installation

-- name: write_keep
UPDATE puppylog.installation SET drop_after_s = $keep_s

-- name: write_size
UPDATE puppylog.retention SET max_bytes = $max_bytes

-- name: delete_groups
DELETE FROM puppylog.retention_groups

-- name: insert_group
INSERT INTO puppylog.retention_groups VALUES ($group_name, $keep_s)

-- name: schedule_drops
-- Makes the server's own policy drop records after the new time.
SELECT puppylog.schedule_drops()
