-- Which records the store keeps, and what has been dropped.

-- name: read_retention
SELECT keep_s, max_bytes, archive FROM puppylog.retention

-- name: read_groups
SELECT group_name, keep_s FROM puppylog.retention_groups ORDER BY group_name

-- name: write_retention
UPDATE puppylog.retention SET keep_s = $keep_s, max_bytes = $max_bytes, archive = $archive

-- name: delete_groups
DELETE FROM puppylog.retention_groups

-- name: frozen
-- The instant before which records may be gone, and the longest period of a metric in seconds.
SELECT epoch_us(before) AS before_us, (SELECT coalesce(max(period_s), 0) FROM puppylog.metrics) AS longest_s
FROM puppylog.dropped

-- name: late_source
-- The records of a batch, with the types of the stored ones.
(SELECT * FROM puppylog.log_records WHERE false UNION ALL BY NAME SELECT * FROM records) AS late_records

-- name: late_range
ts < make_timestamptz({end_us})

-- name: change_late
-- Changes the buckets that exist by the buckets of records that are stored late, or that are deleted.
UPDATE puppylog.rollup_{id} AS stored
SET {changes}
FROM late_buckets AS late
WHERE stored.bucket = late.bucket AND stored.segment IS NOT DISTINCT FROM late.segment

-- name: insert_late
-- Inserts the late buckets that do not exist yet.
INSERT INTO puppylog.rollup_{id} BY NAME
SELECT late.* FROM late_buckets AS late
ANTI JOIN puppylog.rollup_{id} AS stored
  ON stored.bucket = late.bucket AND stored.segment IS NOT DISTINCT FROM late.segment

-- name: removed_source
-- Stored records that are going to be deleted.
(SELECT * FROM puppylog.log_records WHERE {condition}) AS removed_records

-- name: oldest_removed
SELECT epoch_us(min(ts)) AS oldest_us FROM puppylog.log_records WHERE {condition}

-- name: delete_empty
-- Deletes those of the changed buckets that have no record left.
DELETE FROM puppylog.rollup_{id} AS stored
USING late_buckets AS late
WHERE stored.bucket = late.bucket AND stored.segment IS NOT DISTINCT FROM late.segment AND stored.{is_empty}

-- name: insert_group
INSERT INTO puppylog.retention_groups VALUES ($group_name, $keep_s)
