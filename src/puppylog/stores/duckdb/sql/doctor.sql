-- Queries of the doctor.

-- name: metric_ages
-- The metrics in the order of their names, and the seconds since the last refresh of each.
SELECT metrics.id, metrics.name, metrics.statistic, metrics.property, metrics.period_s, metrics.segment, metrics.filter,
       metrics.of, metrics.refresh_s, metrics.group_id, groups.name AS group_name, metrics.error,
       metrics.watermark::VARCHAR AS watermark, metrics.refreshed_at IS NOT NULL AS is_refreshed,
       extract(epoch FROM now() - coalesce(metrics.refreshed_at, metrics.created_at))::DOUBLE AS age_s,
       EXISTS (FROM puppylog.invalidations WHERE seq > metrics.refreshed_seq) AS is_touched,
       coalesce(metrics.has_levels, false) AS has_levels
FROM puppylog.metrics AS metrics
LEFT JOIN puppylog.log_groups AS groups ON groups.id = metrics.group_id
ORDER BY metrics.name

-- name: newest_day
-- The end, in microseconds, of the newest bucket that has a record before $before and below the metric's watermark, and not
-- before $since_us.
SELECT epoch_us(max(ts)) // ($period_s * 1000000::BIGINT) * ($period_s * 1000000::BIGINT) + $period_s * 1000000::BIGINT
       AS until_us
FROM puppylog.log_records
WHERE ts >= make_timestamptz($since_us)
  AND ts < least($before::TIMESTAMPTZ, (SELECT watermark FROM puppylog.metrics WHERE id = $id))

-- name: dropped_before
-- The instant before which records may be gone, in microseconds since the epoch, or null.
SELECT epoch_us(before) AS before_us FROM puppylog.dropped

-- name: compare_day
-- The buckets in a range, and the records in them, in the rollup and computed from the records.
SELECT stored.buckets AS stored_buckets, stored.total AS stored_total,
       expected.buckets AS expected_buckets, expected.total AS expected_total
FROM (
    SELECT count(*) AS buckets, coalesce(sum({records}), 0) AS total FROM puppylog.rollup_{id}
    WHERE bucket >= make_timestamptz({since_us}) AND bucket < make_timestamptz({until_us})
) AS stored, (SELECT count(*) AS buckets, coalesce(sum({records}), 0) AS total FROM ({aggregate}) AS computed) AS expected

-- name: compare_level
-- The records or buckets that a level holds, and those of the metric's own buckets below the level's watermark.
SELECT (SELECT coalesce(sum({in_level}), 0)::DOUBLE FROM puppylog.level_{id}_{step_s}) AS stored,
       (SELECT coalesce(sum({own}), 0)::DOUBLE
        FROM puppylog.rollup_{id}
        WHERE bucket < (SELECT watermark FROM puppylog.metric_levels WHERE metric_id = {id} AND step_s = {step_s})
       ) AS expected

-- name: in_range
ts >= make_timestamptz({since_us}) AND ts < make_timestamptz({until_us})

-- name: is_being_checked
SELECT $id IN (SELECT metric_id FROM puppylog.metrics_being_checked) AS is_being_checked

-- name: is_behind
-- Whether a record above the watermark is so old that a refresh should have included it by now.
SELECT count(*) > 0 AS is_behind
FROM (
    SELECT 1 FROM puppylog.log_records
    WHERE ts >= $watermark::TIMESTAMPTZ AND ts < now() - to_seconds($settled_s)
    LIMIT 1
) AS found

-- name: retention_state
-- What has been dropped and archived, the instants of the oldest and the newest record, the used blocks in bytes, and the
-- metric with the longest period.
SELECT dropped.records, dropped.rejected_lines, dropped.dropped_at, dropped.before AS dropped_before, dropped.error,
       (SELECT min(ts) FROM puppylog.log_records) AS oldest_at, (SELECT max(ts) FROM puppylog.log_records) AS newest_at,
       (SELECT used_blocks * block_size FROM pragma_database_size()) AS used_bytes,
       (SELECT coalesce(max(period_s), 0) FROM puppylog.metrics) AS longest_s,
       (SELECT arg_max(name, period_s) FROM puppylog.metrics) AS longest,
       archived.files, archived.archived_bytes, archived.archived_at
FROM puppylog.dropped AS dropped
CROSS JOIN (
    SELECT count(*) AS files, CAST(coalesce(sum(size_bytes), 0) AS BIGINT) AS archived_bytes,
           max(archived_at) AS archived_at
    FROM puppylog.archived_files
    WHERE archived_at IS NOT NULL
) AS archived
