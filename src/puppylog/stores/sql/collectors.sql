-- Queries on the collectors' reports about their streams. They only read, and are the same on every kind of store.

-- name: stream_reports
-- The last report about each stream, of one group or of all; its age is measured by the store's clock.
SELECT streams.source_uri, groups.name AS group_name, reports.backlog_bytes, reports.lines_per_s, reports.records,
       reports.rejects, reports.format, reports.problem, reports.ended, reports.stored_at,
       reports.waiting_lines, reports.finished, streams.id AS stream_id,
       extract(epoch FROM now() - reports.reported_at)::DOUBLE PRECISION AS report_age_s,
       extract(epoch FROM reports.reported_at - reports.behind_since)::DOUBLE PRECISION AS behind_s,
       extract(epoch FROM reports.reported_at - reports.stored_at)::DOUBLE PRECISION AS stored_ago_s
FROM puppylog.stream_reports AS reports
JOIN puppylog.log_streams AS streams ON streams.id = reports.stream_id
LEFT JOIN puppylog.log_groups AS groups ON groups.id = streams.group_id
WHERE coalesce(groups.name, '') = coalesce($group, groups.name, '')
ORDER BY streams.source_uri

-- name: stored_streams
-- Every stream with what is stored of it: the bytes of its files, and its rejected lines.
SELECT streams.id AS stream_id, streams.source_uri, groups.name AS group_name,
       CAST(streams.labels AS TEXT) AS labels, coalesce(files.files, 0) AS files,
       coalesce(files.bytes, 0)::BIGINT AS bytes, files.stored_at, coalesce(rejected.lines, 0) AS rejected_lines
FROM puppylog.log_streams AS streams
LEFT JOIN puppylog.log_groups AS groups ON groups.id = streams.group_id
LEFT JOIN (
    SELECT stream_id, count(*) AS files, sum(byte_offset) AS bytes,
           max(CASE WHEN byte_offset > 0 THEN moved_at END) AS stored_at
    FROM puppylog.log_files
    GROUP BY stream_id
) AS files ON files.stream_id = streams.id
LEFT JOIN (
    SELECT stream_id, count(*) AS lines
    FROM puppylog.rejected_lines
    GROUP BY stream_id
) AS rejected ON rejected.stream_id = streams.id
WHERE coalesce(groups.name, '') = coalesce($group, groups.name, '')
ORDER BY streams.source_uri
