-- Queries of Loki's read interface. They only read, and are the same on every kind of store. {where} is a condition that
-- was rendered from a checked tree, and {line} the SQL of the line of a record.

-- name: newest_entries
-- The newest records that a query chooses, the newest of them first.
SELECT *, {line} AS line
FROM puppylog.log_records
WHERE ts >= $since::TIMESTAMPTZ AND ts < $until::TIMESTAMPTZ AND {where}
ORDER BY ts DESC, file_id DESC, line_offset DESC
LIMIT $entries

-- name: oldest_entries
-- The oldest records that a query chooses, the oldest of them first.
SELECT *, {line} AS line
FROM puppylog.log_records
WHERE ts >= $since::TIMESTAMPTZ AND ts < $until::TIMESTAMPTZ AND {where}
ORDER BY ts, file_id, line_offset
LIMIT $entries

-- name: arrived_entries
-- The newest records that a query chooses of those whose lines start in byte ranges of files, the newest of them first.
SELECT lines.*, {line} AS line
FROM (
    SELECT *
    FROM puppylog.log_records
    WHERE {in_bounds} AND {where}
) AS lines
{in_ranges}
ORDER BY lines.ts DESC, lines.file_id DESC, lines.line_offset DESC
LIMIT $entries

-- name: arrived_entries_count
-- The number of these records.
SELECT count(*) AS n
FROM (
    SELECT *
    FROM puppylog.log_records
    WHERE {in_bounds} AND {where}
) AS lines
{in_ranges}

-- name: cells
-- The records that a metric query chooses, aggregated by cells of time (see `puppylog.model.logql.windows`) and by
-- values of a record. Records without the number that is aggregated are left out.
SELECT {names} 2 * CAST((place - place % $step) / $step AS BIGINT) + CASE WHEN place % $step < $bound THEN 0 ELSE 1 END AS cell,
       {aggregates}
FROM (
    SELECT {groups} {number} AS number, {micros} + CAST($shift AS BIGINT) AS place
    FROM puppylog.log_records
    WHERE ts >= $since::TIMESTAMPTZ AND ts < $until::TIMESTAMPTZ AND {where}
) AS entries
WHERE number IS NOT NULL
GROUP BY {ordinals}
LIMIT $most

-- name: added
-- The aggregates of the numbers in a cell: each of them can be computed from those of several cells.
count(*) AS n, CAST(sum(number) AS DOUBLE PRECISION) AS total, min(number) AS least, max(number) AS greatest

-- name: repeated
-- Each different number, and how often it is in a cell.
number, count(*) AS n

-- name: interpolated
-- A quantile of the numbers in a cell, for ranges that are one cell each.
percentile_cont({share}) WITHIN GROUP (ORDER BY number) AS number, 1 AS n

-- name: label_values
-- The most frequent values of a label of records.
SELECT label_value AS value, count(*) AS n
FROM (
    SELECT {value} AS label_value
    FROM puppylog.log_records
    WHERE ts >= $since::TIMESTAMPTZ AND ts < $until::TIMESTAMPTZ AND {where}
) AS entries
WHERE label_value <> ''
GROUP BY label_value
ORDER BY n DESC, label_value
LIMIT $most

-- name: streams_with_entries
-- The streams of the records that a query chooses.
SELECT DISTINCT stream_id
FROM puppylog.log_records
WHERE ts >= $since::TIMESTAMPTZ AND ts < $until::TIMESTAMPTZ AND {where}

-- name: entries_per_stream
-- The number of records that a query chooses, of each stream.
SELECT stream_id, count(*) AS n
FROM puppylog.log_records
WHERE ts >= $since::TIMESTAMPTZ AND ts < $until::TIMESTAMPTZ AND {where}
GROUP BY stream_id

-- name: sampled_size
-- The mean length in bytes of the lines of some records.
SELECT avg(size) AS size
FROM (
    SELECT {size} AS size
    FROM puppylog.log_records
    WHERE ts >= $since::TIMESTAMPTZ AND ts < $until::TIMESTAMPTZ AND {where}
    LIMIT $entries
) AS some_lines

-- name: in_streams
-- The condition that a record is of one of many streams. The list is bound.
stream_id IN (SELECT unnest(string_to_array({ids}, ','))::INTEGER)

-- name: micros_duckdb
-- The time of a record in microseconds since the epoch.
epoch_us(ts)

-- name: micros_postgres
-- The same. The seconds are a numeric, so nothing is rounded.
CAST(extract(epoch FROM ts) * 1000000 AS BIGINT)

-- name: size_duckdb
-- The length of a text in bytes.
strlen({text})

-- name: size_postgres
octet_length({text})

-- name: duration_duckdb
-- The seconds of a duration such as 1h2m3.5s or 250ms; null if the text is none.
CASE WHEN regexp_matches({text}, '^([0-9]+[.]?[0-9]*h)?([0-9]+[.]?[0-9]*m)?([0-9]+[.]?[0-9]*s)?([0-9]+[.]?[0-9]*ms)?([0-9]+[.]?[0-9]*[uµμ]s)?([0-9]+[.]?[0-9]*ns)?$') AND {text} <> ''
     THEN coalesce(try_cast(nullif(regexp_extract({text}, '([0-9.]+)h', 1), '') AS DOUBLE), 0) * 3600
        + coalesce(try_cast(nullif(regexp_extract({text}, '([0-9.]+)m(?:[^s]|$)', 1), '') AS DOUBLE), 0) * 60
        + coalesce(try_cast(nullif(regexp_extract({text}, '([0-9.]+)s', 1), '') AS DOUBLE), 0)
        + coalesce(try_cast(nullif(regexp_extract({text}, '([0-9.]+)ms', 1), '') AS DOUBLE), 0) / 1000
        + coalesce(try_cast(nullif(regexp_extract({text}, '([0-9.]+)[uµμ]s', 1), '') AS DOUBLE), 0) / 1000000
        + coalesce(try_cast(nullif(regexp_extract({text}, '([0-9.]+)ns', 1), '') AS DOUBLE), 0) / 1000000000
END

-- name: duration_postgres
-- The same. A number with several points is no duration.
CASE WHEN {text} ~ '^([0-9]+[.]?[0-9]*h)?([0-9]+[.]?[0-9]*m)?([0-9]+[.]?[0-9]*s)?([0-9]+[.]?[0-9]*ms)?([0-9]+[.]?[0-9]*[uµμ]s)?([0-9]+[.]?[0-9]*ns)?$' AND {text} <> ''
     THEN coalesce(CAST(substring({text} FROM '([0-9.]+)h') AS DOUBLE PRECISION), 0) * 3600
        + coalesce(CAST(substring({text} FROM '([0-9.]+)m(?:[^s]|$)') AS DOUBLE PRECISION), 0) * 60
        + coalesce(CAST(substring({text} FROM '([0-9.]+)s') AS DOUBLE PRECISION), 0)
        + coalesce(CAST(substring({text} FROM '([0-9.]+)ms') AS DOUBLE PRECISION), 0) / 1000
        + coalesce(CAST(substring({text} FROM '([0-9.]+)[uµμ]s') AS DOUBLE PRECISION), 0) / 1000000
        + coalesce(CAST(substring({text} FROM '([0-9.]+)ns') AS DOUBLE PRECISION), 0) / 1000000000
END

-- name: bytes_duckdb
-- The bytes of a size such as 5MB, 1.5KiB or 12; null if the text is none.
try_cast(nullif(regexp_extract({text}, '^([0-9]+[.]?[0-9]*) ?([A-Za-z]*)$', 1), '') AS DOUBLE) *
CASE lower(regexp_extract({text}, '^([0-9]+[.]?[0-9]*) ?([A-Za-z]*)$', 2)) {factors} END

-- name: bytes_postgres
CAST((regexp_match({text}, '^([0-9]+[.]?[0-9]*) ?([A-Za-z]*)$'))[1] AS DOUBLE PRECISION) *
CASE lower((regexp_match({text}, '^([0-9]+[.]?[0-9]*) ?([A-Za-z]*)$'))[2]) {factors} END
