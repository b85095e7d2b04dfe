-- The size of a metric in a range, part by part: of the levels, and of its own buckets where no level has them. The same SQL
-- runs on DuckDB and on PostgreSQL.

-- name: in_segments
coalesce(segment, '') = coalesce($segment, segment, '')

-- name: ends_of_level
-- The first and the last bucket of a part of a level. The index finds both.
SELECT min(bucket) AS first_bucket, max(bucket) AS last_bucket, {step_s} AS step_s
FROM puppylog.level_{id}_{step_s} WHERE {where}

-- name: ends_of_own
SELECT min(bucket) AS first_bucket, max(bucket) AS last_bucket, {step_s} AS step_s
FROM puppylog.buckets_{id} WHERE {where}

-- name: ends_within_buckets
-- The metric's own first bucket in one bucket of a level, and its last bucket in another.
SELECT (SELECT min(bucket) FROM puppylog.buckets_{id}
        WHERE bucket >= $first_since::TIMESTAMPTZ AND bucket < $first_until::TIMESTAMPTZ AND {in_segments}) AS first_bucket,
       (SELECT max(bucket) FROM puppylog.buckets_{id}
        WHERE bucket >= $last_since::TIMESTAMPTZ AND bucket < $last_until::TIMESTAMPTZ AND {in_segments}) AS last_bucket

-- name: observations_of_level
-- How many of the metric's own buckets each segment has in a part of a level.
SELECT segment, sum(buckets) AS observations FROM puppylog.level_{id}_{step_s} WHERE {where} GROUP BY segment

-- name: observations_of_own
SELECT segment, count(*) AS observations FROM puppylog.buckets_{id} WHERE {where} GROUP BY segment

-- name: observations
SELECT CAST(coalesce(sum(observations), 0) AS BIGINT) AS observations, count(DISTINCT segment) AS segments
FROM ({parts}) AS parts

-- name: sizes_of_level
-- How many of the metric's own buckets are in a part of a level, whatever their segments.
SELECT CAST(coalesce(sum(buckets), 0) AS BIGINT) AS buckets
FROM (
    SELECT bucket, CAST(NULL AS TEXT) AS segment, buckets
    FROM puppylog.level_sizes WHERE metric_id = {id} AND step_s = {step_s}
) AS sizes
WHERE {where}

-- name: sizes_of_own
SELECT count(DISTINCT bucket) AS buckets FROM puppylog.buckets_{id} WHERE {where}
