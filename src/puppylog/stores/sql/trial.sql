-- Queries of a trial of an alert's rule on the past. They only read, and are the same on every kind of store.

-- name: trial_extent
-- How many observations a metric has in a range, its first bucket there, and the store's oldest record.
SELECT count(*) AS observations, min(bucket) AS first_bucket,
       (SELECT min(ts) FROM puppylog.log_records) AS first_record_at
FROM metrics.{metric}
WHERE bucket >= $since::TIMESTAMPTZ AND bucket < $until::TIMESTAMPTZ

-- name: trial_observations
-- The observations that an alert judges, in the order of their buckets. Buckets are in microseconds since the epoch.
SELECT CAST(extract(epoch FROM bucket) * 1000000 AS BIGINT) AS bucket_us, {segment} AS segment,
       CAST({value} AS DOUBLE PRECISION) AS value, CAST({part} AS DOUBLE PRECISION) AS part, CAST({whole} AS BIGINT) AS whole
FROM metrics.{metric}
WHERE bucket >= $since::TIMESTAMPTZ AND bucket < $until::TIMESTAMPTZ AND value IS NOT NULL
{grouping}
ORDER BY bucket, segment
