-- Streams and their files: the queries that are the same on every kind of store.

-- name: find_streams
SELECT streams.id, streams.source_uri, groups.name AS group_name
FROM puppylog.log_streams AS streams
LEFT JOIN puppylog.log_groups AS groups ON groups.id = streams.group_id
WHERE streams.id = ANY($ids::integer[])

-- name: files_of_streams
-- The files of each stream in the order in which they were registered, with the seconds since then.
SELECT id AS file_id, stream_id, path, device, inode, head_size, head_hash, marker_size, marker_hash, byte_offset,
       finished, context, extract(epoch FROM now() - opened_at)::DOUBLE PRECISION AS opened_ago_s
FROM puppylog.log_files
WHERE stream_id = ANY($ids::integer[])
ORDER BY id

-- name: find_files
-- The files of these ids, each with its stream and its committed position.
SELECT id AS file_id, stream_id, path, device, inode, head_size, head_hash, marker_size, marker_hash, byte_offset,
       finished, context
FROM puppylog.log_files
WHERE id = ANY($ids::integer[])
