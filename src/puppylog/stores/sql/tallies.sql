-- Queries that count records by the tallies of the embedded store, see `puppylog.monitor.counting.tallied`. {chosen} is the
-- query "chosen_records" of monitor.sql, for the records that no tally counts, and {ids} are the ids of tallies.

-- name: tallies
-- The tallies of all fields for the days that a range touches, by their starts.
SELECT id, field, epoch_us(starts_at) AS start_us, step_s
FROM puppylog.tallies
WHERE is_complete
  AND starts_at > $since::TIMESTAMPTZ - INTERVAL '1 day' AND starts_at < $until::TIMESTAMPTZ
ORDER BY starts_at

-- name: possible_texts
-- The days of a range with tallies of some fields, and for each field whether a text of the day passes the test.
SELECT epoch_us(tallies.starts_at) AS start_us, field, coalesce({test}, false) AS is_possible
FROM puppylog.tallies
LEFT JOIN puppylog.value_counts ON value_counts.tally_id = tallies.id
WHERE is_complete AND field IN ({fields})
  AND tallies.starts_at > $since::TIMESTAMPTZ - INTERVAL '1 day' AND tallies.starts_at < $until::TIMESTAMPTZ
GROUP BY tallies.starts_at, field

-- name: counted_records
-- The number of records for each combination of keys. On every kind of store.
SELECT {keys}, count(*) AS n
{chosen}
GROUP BY {places}

-- name: tallied_records
-- The same, by tallies where there are any.
SELECT {names}, sum(n)::BIGINT AS n
FROM (
    SELECT {keys}, sum(records)::BIGINT AS n
    FROM (SELECT starts_at AS ts, stream_id, records{typed} FROM puppylog.value_counts WHERE tally_id IN ({ids}) AND {in_range}) AS counts
    WHERE {in_group}
    GROUP BY {places}
    UNION ALL
    SELECT {keys}, count(*) AS n
    {chosen}
    GROUP BY {places}
) AS parts
GROUP BY {places}

-- name: tallied_shapes
-- The shapes of messages, as "masked_shapes" of counting.sql returns them.
SELECT value AS shape, records AS n, first_at, last_at
FROM puppylog.value_counts
WHERE tally_id IN ({ids}) AND {in_range} AND {in_group}

-- name: tallied_streams
-- As "report_stream_counts" of report.sql.
SELECT stream_id, records, first_at, last_at, response_bytes
FROM puppylog.value_counts
WHERE tally_id IN ({ids}) AND {in_range} AND {in_group}

-- name: tallied_tops
-- As "report_top_counts" of report.sql.
SELECT value AS {column}, records, server_errors, response_bytes
FROM puppylog.value_counts
WHERE tally_id IN ({ids}) AND {in_range} AND {in_group}

-- name: tallied_presence
-- How many records have a value in each column that such tallies are about.
SELECT value AS name, sum(records)::BIGINT AS records
FROM puppylog.value_counts
WHERE tally_id IN ({ids}) AND {in_range} AND {in_group}
GROUP BY 1
