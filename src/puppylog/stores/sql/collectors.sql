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
