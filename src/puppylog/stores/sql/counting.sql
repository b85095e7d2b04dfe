-- Queries that count records: by value, over time, as numbers, by shape. They only read, and are the same on every kind
-- of store. {chosen} is the query "chosen_records" of monitor.sql, and {value} the SQL of a field's value.

-- name: values
-- The values of a field, each with its number of records. `counts` has the numbers by the field's column.
SELECT {value} AS value, sum(n)::BIGINT AS n
FROM ({counts}) AS counts
GROUP BY 1

-- name: computed_values
-- The same of a field that is no column.
SELECT {value} AS value, count(*) AS n
{chosen}
GROUP BY 1

-- name: attribute_values
-- The same for an attribute. The records are grouped by all of their attributes first: if many records have equal ones,
-- this is faster, because reading JSON takes most of the time.
SELECT {value} AS value, sum(n)::BIGINT AS n
FROM (SELECT attributes, count(*) AS n {chosen} GROUP BY attributes) AS alike
GROUP BY 1

-- name: sample
-- How many of some records with a value have different ones.
SELECT count(*) AS records, count(DISTINCT value) AS different
FROM (SELECT {value} AS value FROM puppylog.log_records WHERE {value} IS NOT NULL LIMIT $records) AS some_values

-- name: marks
-- How many of some records that a search finds have a severity and a status.
SELECT count(*) AS records, count(severity) AS with_severity, count(status_code) AS with_status
FROM (SELECT severity, status_code {chosen} LIMIT $records) AS some_records

-- name: top
-- The most frequent values, and the numbers of records and of values in all. One row without n if there is no record.
WITH counted AS MATERIALIZED ({values}),
totals AS (SELECT coalesce(sum(n), 0)::BIGINT AS records, count(*) AS different FROM counted),
shown AS (SELECT value, n FROM counted ORDER BY n DESC, {order} LIMIT $values)
SELECT totals.records, totals.different, shown.value, shown.n
FROM totals
LEFT JOIN shown ON true
ORDER BY shown.n DESC, {order}

-- name: tops
-- The same for several fields in one pass over the records: {columns} are the values of the fields, named v0 and so on, and
-- `others` is the mask of the columns that a row does not count. DuckDB only: Citus has no grouping sets.
WITH counted AS MATERIALIZED (
    SELECT {names}, GROUPING({names}) AS others, count(*) AS n
    FROM (SELECT {columns} {chosen}) AS chosen_values
    GROUP BY GROUPING SETS ({sets})
),
ranked AS (
    SELECT *, row_number() OVER (PARTITION BY others ORDER BY n DESC, {names}) AS place,
           count(*) OVER (PARTITION BY others) AS different, sum(n) OVER (PARTITION BY others) AS records
    FROM counted
)
SELECT {names}, others, n, different, records::BIGINT AS records
FROM ranked
WHERE place <= CASE WHEN others IN ({named}) THEN {all} ELSE $values END
ORDER BY others, place

-- name: stream_names
-- The source and the group of each stream.
SELECT streams.id, streams.source_uri, groups.name AS group_name
FROM puppylog.log_streams AS streams
LEFT JOIN puppylog.log_groups AS groups ON groups.id = streams.group_id

-- name: file_names
-- The path of each file.
SELECT id, path FROM puppylog.log_files

-- name: extent
-- The times of the first and the last record. With the count, PostgreSQL reads the records once, and not an index from both
-- ends: TimescaleDB 2.13 fails, or mixes the answers, if a statement reads a distributed hypertable twice.
SELECT min(ts) AS first_at, max(ts) AS last_at, count(*) AS records
{chosen}

-- name: histogram
-- The number of records in each step that has any. `counts` has the numbers by the number of the step.
SELECT {start} AS bucket, n
FROM ({counts}) AS counts
ORDER BY 1

-- name: histogram_by_value
-- The number of records in each step and of each of the $series most frequent values, and the number of all values. The
-- rows of all other values have no place. `counts` has the numbers by the number of the step and the field's column.
WITH counted AS MATERIALIZED (SELECT step, {value} AS value, sum(n)::BIGINT AS n FROM ({counts}) AS counts GROUP BY 1, 2),
totals AS MATERIALIZED (SELECT value, sum(n) AS total FROM counted GROUP BY 1),
places AS MATERIALIZED (
    SELECT value, row_number() OVER (ORDER BY total DESC, {order}) AS place
    FROM (SELECT value, total FROM totals ORDER BY total DESC, {order} LIMIT $series) AS most_frequent
),
placed AS (
    SELECT counted.step, counted.value, counted.n,
           CASE WHEN counted.value IS NULL THEN (SELECT place FROM places WHERE value IS NULL) ELSE places.place END AS place
    FROM counted
    LEFT JOIN places ON places.value = counted.value
)
SELECT {start} AS bucket, place, min(CASE WHEN place IS NOT NULL THEN value END) AS value, sum(n)::BIGINT AS n,
       (SELECT count(*) FROM totals) AS different
FROM placed
GROUP BY 1, 2
ORDER BY 1, 2

-- name: numbers
-- The different numbers that the values of a field are, unless there are more than $most. Values that are no number and
-- records without a value have a row without a number.
WITH counted AS ({values})
SELECT {number} AS number, value IS NULL AS is_missing, sum(n)::BIGINT AS n
FROM counted
GROUP BY 1, 2
LIMIT $most

-- name: computed_counts
-- The counts of "histogram_by_value" for a field that is no column.
SELECT {step} AS step, {value} AS value, count(*) AS n
{chosen}
GROUP BY 1, 2

-- name: statistics
-- The statistics of a field with many different numbers.
SELECT count(*) AS records, count(*) - count(value) AS missing, count(number) AS numbers, avg(number) AS mean,
       min(number) AS least, max(number) AS greatest,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY number) AS p50,
       percentile_cont(0.9) WITHIN GROUP (ORDER BY number) AS p90,
       percentile_cont(0.99) WITHIN GROUP (ORDER BY number) AS p99
FROM (SELECT value, {number} AS number FROM (SELECT {value} AS value {chosen}) AS chosen_values) AS numbers

-- name: bins
-- The number of records in each bin of numbers, by the bin's index.
SELECT {bin} AS bin, count(*) AS n
FROM (SELECT {number} AS number FROM (SELECT {value} AS value {chosen}) AS chosen_values) AS numbers
WHERE number IS NOT NULL
GROUP BY 1

-- name: shape
-- The shape of a text, for `puppylog.model.shape`: the second step, of a text in which the varying parts are masked.
regexp_replace({masked}, {quoted}, '\1*', 'g')

-- name: masked
-- The first step: the first line of a text with its varying parts masked.
regexp_replace(
    CASE WHEN length({value}) > {characters} OR strpos({value}, chr(10)) > 0  -- few are: to cut each takes a fifth longer
         THEN left(split_part({value}, chr(10), 1), {characters}) ELSE {value} END,
    {varying}, '*', 'g')

-- name: texts
-- The texts whose shapes are counted: one row for each record.
(SELECT {value} AS value, 1 AS n, ts AS first_at, ts AS last_at {chosen})

-- name: different_texts
-- The same with one row for each different text: if many records have equal ones, fewer texts need masking.
(SELECT {value} AS value, count(*) AS n, min(ts) AS first_at, max(ts) AS last_at {chosen} GROUP BY 1)

-- name: masked_shapes
-- The shapes of texts, but one shape may have several rows.
SELECT {shape} AS shape, n, first_at, last_at
FROM (
    SELECT {masked} AS masked, sum(n)::BIGINT AS n, min(first_at) AS first_at, max(last_at) AS last_at
    FROM {texts} AS texts
    GROUP BY 1
) AS masked_texts

-- name: patterns
-- The most frequent shapes that no record before $new_since has, and the numbers of records and of shapes in all. One
-- row without a shape if there is none.
WITH shapes AS MATERIALIZED (
    SELECT shape, sum(n)::BIGINT AS n, min(first_at) AS first_at, max(last_at) AS last_at
    FROM ({found}) AS found
    GROUP BY 1
),
totals AS (
    SELECT coalesce(sum(n) FILTER (WHERE shape IS NOT NULL), 0)::BIGINT AS records,
           coalesce(sum(n) FILTER (WHERE shape IS NULL), 0)::BIGINT AS missing, count(shape) AS different,
           count(shape) FILTER (WHERE first_at >= $new_since::TIMESTAMPTZ) AS new
    FROM shapes
),
shown AS (
    SELECT shape, n, first_at, last_at
    FROM shapes
    WHERE shape IS NOT NULL AND first_at >= $new_since::TIMESTAMPTZ
    ORDER BY n DESC, {order}
    LIMIT $patterns
)
SELECT totals.records, totals.missing, totals.different, totals.new, shown.shape, shown.n, shown.first_at, shown.last_at
FROM totals
LEFT JOIN shown ON true
ORDER BY shown.n DESC, {order}

-- name: pattern_examples
-- One text of each shape at each of these instants.
SELECT {shape} AS shape, ts, min(value) AS example
FROM (
    SELECT {masked} AS masked, ts, {value} AS value
    {chosen}
      AND ts IN (SELECT unnest(string_to_array($instants, ','))::TIMESTAMPTZ)
      AND {value} IS NOT NULL
) AS candidates
GROUP BY 1, 2
