-- The queries of a report: what is in a store, at a glance. They only read, and are the same on every kind of store.
-- {in_group} and {where} limit the records. {value} and {duration} are expressions over a record.

-- name: report_streams
-- Per stream: the number and the range of its records. `counts` is "report_stream_counts", with tallies if there are any.
SELECT counted.*, streams.source_uri, reports.format
FROM (
    SELECT stream_id, sum(records)::BIGINT AS records, min(first_at) AS first_at, max(last_at) AS last_at,
           sum(response_bytes) AS response_bytes
    FROM ({counts}) AS counts
    GROUP BY stream_id
) AS counted
LEFT JOIN puppylog.log_streams AS streams ON streams.id = counted.stream_id
LEFT JOIN puppylog.stream_reports AS reports ON reports.stream_id = counted.stream_id

-- name: report_stream_counts
SELECT stream_id, count(*) AS records, min(ts) AS first_at, max(ts) AS last_at,
       sum(response_bytes)::DOUBLE PRECISION AS response_bytes
FROM puppylog.log_records
WHERE ts >= $since::TIMESTAMPTZ AND ts < $until::TIMESTAMPTZ
  AND {in_group}
  AND {where}
GROUP BY stream_id

-- name: report_presence
-- How many records have a value in the columns of interest.
SELECT count(status_code) AS status_code, count(severity) AS severity, count(request_route) AS request_route,
       count(host) AS host, count(message) AS message
FROM puppylog.log_records
WHERE ts >= $since::TIMESTAMPTZ AND ts < $until::TIMESTAMPTZ
  AND {in_group}
  AND {where}

-- name: report_rejects
-- The number of rejected lines per stream and reason.
SELECT counted.*, streams.source_uri, reports.format
FROM (
    SELECT stream_id, reason, count(*) AS lines
    FROM puppylog.rejected_lines
    WHERE {in_group}
    GROUP BY stream_id, reason
) AS counted
LEFT JOIN puppylog.log_streams AS streams ON streams.id = counted.stream_id
LEFT JOIN puppylog.stream_reports AS reports ON reports.stream_id = counted.stream_id

-- name: report_steps
-- The number of records per step of time and value. `counts` has the numbers by the number of the step and a column.
SELECT step, {value} AS value, sum(n)::BIGINT AS records
FROM ({counts}) AS counts
GROUP BY 1, 2

-- name: report_top
-- The most frequent values, with the number of all different values. `counts` is "report_top_counts", with tallies if there
-- are any.
SELECT value, records, server_errors, response_bytes, count(*) OVER () AS different
FROM (
    SELECT {value} AS value, sum(records)::BIGINT AS records, sum(server_errors)::BIGINT AS server_errors,
           sum(response_bytes) AS response_bytes
    FROM ({counts}) AS counts
    WHERE {value} IS NOT NULL
    GROUP BY 1
) AS counted
ORDER BY records DESC, value
LIMIT $values

-- name: report_top_counts
-- By the values of a column: the records, those with a status of 500 or more, and the bytes of their responses.
SELECT {column}, count(*) AS records, count(CASE WHEN status_code >= 500 THEN 1 END) AS server_errors,
       sum(response_bytes)::DOUBLE PRECISION AS response_bytes
FROM puppylog.log_records
WHERE ts >= $since::TIMESTAMPTZ AND ts < $until::TIMESTAMPTZ
  AND {in_group}
  AND {where}
GROUP BY 1

-- name: report_attributes
-- The attributes of the newest requests that have any.
SELECT attributes
FROM puppylog.log_records
WHERE attributes IS NOT NULL AND request_route IS NOT NULL
  AND ts >= $since::TIMESTAMPTZ AND ts < $until::TIMESTAMPTZ
  AND {in_group}
  AND {where}
ORDER BY ts DESC
LIMIT $records

-- name: report_slowest
-- The values with the longest durations, apart from those with fewer than $least durations.
SELECT value, records, p50, p95, longest, count(*) OVER () AS different
FROM (
    SELECT value, count(*) AS records, percentile_cont(0.5) WITHIN GROUP (ORDER BY duration) AS p50,
           percentile_cont(0.95) WITHIN GROUP (ORDER BY duration) AS p95, max(duration) AS longest
    FROM (
        SELECT {value} AS value, {duration} AS duration
        FROM puppylog.log_records
        WHERE ts >= $since::TIMESTAMPTZ AND ts < $until::TIMESTAMPTZ
          AND {in_group}
          AND {where}
    ) AS timed
    WHERE value IS NOT NULL AND duration IS NOT NULL
    GROUP BY value
    HAVING count(*) >= $least
) AS counted
ORDER BY p95 DESC, value
LIMIT $values

-- name: report_read_times
-- The number of records that have the time at which they were read. The lines of one read get the same microsecond,
-- between the opening of their file and its last commit; a stamp in a line that is so alike is nearly always rounded.
SELECT coalesce(sum(reads.records), 0)::BIGINT AS records
FROM (
    SELECT file_id, ts, count(*) AS records
    FROM puppylog.log_records
    WHERE ts >= (SELECT min(opened_at) FROM puppylog.log_files)
      AND extract(microseconds FROM ts)::BIGINT % 1000 <> 0
      AND ts >= $since::TIMESTAMPTZ AND ts < $until::TIMESTAMPTZ
      AND {in_group}
      AND {where}
    GROUP BY file_id, ts
    HAVING count(*) > 1
) AS reads
JOIN puppylog.log_files AS files ON files.id = reads.file_id
WHERE reads.ts >= files.opened_at AND reads.ts <= files.moved_at
