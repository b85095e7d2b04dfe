-- Which records the store keeps, and what has been dropped.

-- name: read_retention
SELECT keep_s, max_bytes, archive FROM puppylog.retention

-- name: read_groups
SELECT group_name, keep_s FROM puppylog.retention_groups ORDER BY group_name

-- name: write_retention
UPDATE puppylog.retention SET keep_s = $keep_s, max_bytes = $max_bytes, archive = $archive

-- name: delete_groups
DELETE FROM puppylog.retention_groups

-- name: insert_group
INSERT INTO puppylog.retention_groups VALUES ($group_name, $keep_s)
