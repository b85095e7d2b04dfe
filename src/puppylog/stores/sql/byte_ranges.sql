-- Parts of queries for rows whose lines start in byte ranges of files. The lists have one number per range.

-- name: bounds
-- A condition that is true for all rows in the ranges: with it the store skips most others.
file_id BETWEEN $lowest_file AND $highest_file AND line_offset BETWEEN $lowest_offset AND $highest_offset

-- name: kept
-- A join that keeps the rows of `lines` in the ranges.
JOIN (
    SELECT unnest(string_to_array($files, ','))::INTEGER AS file_id,
           unnest(string_to_array($starts, ','))::BIGINT AS start_offset,
           unnest(string_to_array($ends, ','))::BIGINT AS end_offset
) AS ranges
  ON ranges.file_id = lines.file_id
 AND lines.line_offset >= ranges.start_offset AND lines.line_offset < ranges.end_offset

-- name: kept_of_box
-- The same for the rows of a box: a row is kept if it is in a range of this box. So no row is kept twice, although boxes
-- may overlap.
JOIN (
    SELECT unnest(string_to_array($boxes, ','))::INTEGER AS box,
           unnest(string_to_array($files, ','))::INTEGER AS file_id,
           unnest(string_to_array($starts, ','))::BIGINT AS start_offset,
           unnest(string_to_array($ends, ','))::BIGINT AS end_offset
) AS ranges
  ON ranges.box = {number} AND ranges.file_id = lines.file_id
 AND lines.line_offset >= ranges.start_offset AND lines.line_offset < ranges.end_offset
