-- Queries on rejected lines. They are the same on every kind of store.

-- name: places_in_files
-- The places of the next rejected lines, file by file in the order of their offsets. Only the places and sizes, because
-- the lines themselves may be long.
SELECT stream_id, file_id, line_offset, octet_length(line) AS line_bytes
FROM puppylog.rejected_lines
WHERE (stream_id, file_id, line_offset) > ($after_stream, $after_file, $after_offset)
  AND {wanted}
ORDER BY stream_id, file_id, line_offset
LIMIT $places

-- name: newest_places
-- The places of the newest rejected lines, the oldest of them first.
SELECT stream_id, file_id, line_offset, line_bytes
FROM (
    SELECT stream_id, file_id, line_offset, octet_length(line) AS line_bytes, rejected_at
    FROM puppylog.rejected_lines
    WHERE {wanted}
    ORDER BY rejected_at DESC, stream_id DESC, file_id DESC, line_offset DESC
    LIMIT $places
) AS newest
ORDER BY rejected_at, stream_id, file_id, line_offset

-- name: page_of_places
-- The places of the newest rejected lines that come after a cursor, the newest of them first.
SELECT stream_id, file_id, line_offset, octet_length(line) AS line_bytes
FROM puppylog.rejected_lines
WHERE {wanted} AND {after_cursor}
ORDER BY rejected_at DESC, stream_id DESC, file_id DESC, line_offset DESC
LIMIT $places

-- name: after_cursor
-- The condition that a line comes after the cursor, which is the place of a line and the time when it was rejected.
(rejected_at, stream_id, file_id, line_offset) < ($at::TIMESTAMPTZ, $at_stream, $at_file, $at_offset)

-- name: examples
-- For each reason, the place of the newest line.
SELECT DISTINCT ON (reason) reason, stream_id, file_id, line_offset, octet_length(line) AS line_bytes
FROM puppylog.rejected_lines
WHERE {wanted}
ORDER BY reason, rejected_at DESC, stream_id DESC, file_id DESC, line_offset DESC

-- name: places_count
-- The number of these rejected lines, counted up to $most.
SELECT count(*) AS n
FROM (
    SELECT file_id
    FROM puppylog.rejected_lines
    WHERE {wanted}
    LIMIT $most
) AS counted

-- name: lines_at
-- The lines at these places that are still rejected. The lists have one number per place. The bounds are true for all
-- places: with them the store skips other lines.
SELECT lines.stream_id, lines.file_id, lines.line_offset, lines.rejected_at, lines.reason, lines.line
FROM (
    SELECT *
    FROM puppylog.rejected_lines
    WHERE stream_id BETWEEN $lowest_stream AND $highest_stream AND file_id BETWEEN $lowest_file AND $highest_file
      AND line_offset BETWEEN $lowest_offset AND $highest_offset
) AS lines
JOIN (
    SELECT unnest(string_to_array($streams, ','))::INTEGER AS stream_id,
           unnest(string_to_array($files, ','))::INTEGER AS file_id,
           unnest(string_to_array($offsets, ','))::BIGINT AS line_offset
) AS places
  ON places.stream_id = lines.stream_id AND places.file_id = lines.file_id AND places.line_offset = lines.line_offset

-- name: lines_in_ranges
-- The first rejected lines that start in byte ranges of files.
SELECT lines.file_id, lines.line_offset, lines.reason, lines.line
FROM (SELECT file_id, line_offset, reason, line FROM puppylog.rejected_lines WHERE {in_bounds}) AS lines
{in_ranges}
ORDER BY lines.file_id, lines.line_offset
LIMIT $lines

-- name: reasons
-- The numbers of rejected lines by stream and reason.
SELECT stream_id, reason, count(*) AS lines, min(rejected_at) AS first_at, max(rejected_at) AS last_at
FROM puppylog.rejected_lines
WHERE {wanted}
GROUP BY stream_id, reason

-- name: wanted
-- The condition on the rejected lines that a command asks for.
rejected_at >= $since::TIMESTAMPTZ AND rejected_at < $until::TIMESTAMPTZ
  AND position(lower($reason) IN lower(reason)) > 0
  AND {in_group} AND {in_files} AND {where}

-- name: in_any_file
true

-- name: in_these_files
file_id = ANY(string_to_array($wanted_files, ',')::INTEGER[])

-- name: known_files
-- All registered files, each with its stream.
SELECT files.id AS file_id, files.stream_id, files.path, streams.source_uri
FROM puppylog.log_files AS files
JOIN puppylog.log_streams AS streams ON streams.id = files.stream_id
ORDER BY files.id
