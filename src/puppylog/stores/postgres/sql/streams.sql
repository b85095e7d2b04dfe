-- Streams and their files.

-- name: open_streams
SELECT id
FROM unnest(puppylog.open_streams($source_uris::text[], $group_name)) WITH ORDINALITY AS opened (id, place)
ORDER BY place

-- name: set_labels
SELECT puppylog.set_labels($stream_ids::integer[], $labels::text[])

-- name: claim_streams
-- A claim is a lock of the session: the server releases it when the session ends, even if the client was killed.
SELECT stream_id, pg_try_advisory_lock(1885697641, stream_id) AS is_claimed
FROM unnest($stream_ids::integer[]) WITH ORDINALITY AS asked (stream_id, place)
ORDER BY place

-- name: release_streams
SELECT pg_advisory_unlock(1885697641, stream_id) FROM unnest($stream_ids::integer[]) AS stream_id

-- name: holder_of_stream
-- The session that has the claim, as far as this role may see it.
SELECT locks.pid, activity.usename, activity.application_name, host(activity.client_addr) AS client_addr,
       activity.backend_start
FROM pg_locks AS locks
LEFT JOIN pg_stat_activity AS activity ON activity.pid = locks.pid
WHERE locks.locktype = 'advisory' AND locks.granted AND locks.classid = 1885697641 AND locks.objsubid = 2
  AND locks.objid = $stream_id
  AND locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())

-- name: find_known_files
-- The files of one host that have one of the identities, or that begin with one of the heads.
SELECT streams.source_uri, files.stream_id, files.id AS file_id, files.path, files.device, files.inode, files.head_size,
       files.head_hash, files.marker_size, files.marker_hash, files.byte_offset, files.finished, files.context
FROM puppylog.log_files AS files
JOIN puppylog.log_streams AS streams ON streams.id = files.stream_id
WHERE starts_with(streams.source_uri, $source_prefix) AND (
    (files.device, files.inode) IN (SELECT * FROM unnest($devices::bigint[], $inodes::bigint[]))
    OR (files.head_hash, files.head_size) IN (SELECT * FROM unnest($head_hashes::text[], $head_sizes::integer[]))
)
ORDER BY files.id

-- name: open_files
SELECT id
FROM unnest(puppylog.open_files(
    $stream_ids::integer[], $paths::text[], $devices::bigint[], $inodes::bigint[], $byte_offsets::bigint[],
    $head_hash, $marker_hash
)) WITH ORDINALITY AS opened (id, place)
ORDER BY place

-- name: report_streams
-- Stores a collector's reports about its streams, which come as columns.
SELECT puppylog.report_streams(
    $stream_id::integer[], $backlog_bytes::bigint[], $behind_s::double precision[], $stored_ago_s::double precision[],
    $lines_per_s::double precision[], $records::bigint[], $rejects::bigint[], $format::text[], $problem::text[],
    $ended::boolean[], $waiting_lines::bigint[], $finished::boolean[]
)
