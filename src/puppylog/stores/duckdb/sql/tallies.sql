-- Tallies: counts of the records of a day by the values of a field. {records} is a relation with the column ts. Days and
-- steps are computed from integers, because time_bucket takes ten times as long. A quotient is rounded towards zero, but a
-- day begins before its records, also before 1970.

-- name: first_and_last
-- The first and the last time of some records, in microseconds since the epoch; null if there is no record.
SELECT epoch_us(min(ts)) AS first_us, epoch_us(max(ts)) AS last_us FROM {records}

-- name: days
-- The days of some records, as numbers since the epoch.
SELECT DISTINCT epoch_us(ts) // 86400000000 - CAST(epoch_us(ts) % 86400000000 < 0 AS INTEGER) AS day FROM {records}

-- name: noted_days
-- The days that were noted as untallied within the last minute, as numbers since the epoch.
SELECT epoch_us(starts_at) // 86400000000 AS day
FROM puppylog.untallied
WHERE changed_at BETWEEN now() - INTERVAL '1 minute' AND now()

-- name: note_changed
DELETE FROM puppylog.tallies WHERE starts_at IN ({starts});
DELETE FROM puppylog.untallied WHERE starts_at IN ({starts});
INSERT INTO puppylog.untallied SELECT unnest([{starts}]), now()

-- name: start_of_day
make_timestamptz({day} * 86400000000)

-- name: due_days
-- The untallied days that have ended and were not changed for some time, the newest first.
SELECT epoch_us(starts_at) AS start_us
FROM puppylog.untallied
WHERE greatest(starts_at + INTERVAL '1 day', changed_at) <= make_timestamptz($now_us - $settle_us)
ORDER BY starts_at DESC

-- name: count_records
SELECT count(*) AS records FROM puppylog.log_records

-- name: take_day
DELETE FROM puppylog.untallied WHERE starts_at = make_timestamptz($start_us) RETURNING starts_at

-- name: delete_old
-- Deletes the tallies of a day that are made again because there are new fields.
DELETE FROM puppylog.tallies WHERE starts_at = make_timestamptz($start_us)

-- name: begin_tally
INSERT INTO puppylog.tallies
VALUES (nextval('puppylog.ids'), make_timestamptz($start_us), $field, NULL, false)
RETURNING id

-- name: count_values
-- The counts of a tally in steps, but at most $most rows.
SELECT $id AS tally_id, make_timestamptz($start_us + step * {step_us}) AS starts_at, stream_id, {shown}, server_errors, response_bytes, first_at, last_at
FROM (
    SELECT (epoch_us(ts) - $start_us) // {step_us} AS step, stream_id, {value} AS value, {counted} AS records, {computed}
    FROM puppylog.log_records
    WHERE ts >= make_timestamptz($start_us) AND ts < make_timestamptz($start_us) + INTERVAL '1 day' AND {where}
    GROUP BY ALL
) AS counted
LIMIT $most

-- name: list_words
-- The words of a text, and how often it has them, but at most $most rows. Few words are different, so that their case is
-- ignored after they are found. translate: see WORD_PATTERN of puppylog/stores/tallies.py.
SELECT $id AS tally_id, make_timestamptz($start_us) AS starts_at, stream_id, translate(lower(word), chr(383) || chr(8490), 'sk') AS value, NULL::BIGINT AS number, records,
       NULL::BIGINT AS server_errors, NULL::DOUBLE AS response_bytes, NULL::TIMESTAMPTZ AS first_at, NULL::TIMESTAMPTZ AS last_at
FROM (
    SELECT stream_id, word, count(*) AS records
    FROM (
        SELECT stream_id, unnest(regexp_extract_all({value}, $word)) AS word
        FROM puppylog.log_records
        WHERE ts >= make_timestamptz($start_us) AND ts < make_timestamptz($start_us) + INTERVAL '1 day'
    ) AS found
    GROUP BY ALL
) AS counted
LIMIT $most

-- name: begun
-- How many of these tallies there are: a change of their day has deleted all or none of them.
SELECT count(*) AS tallies FROM puppylog.tallies WHERE id IN ({ids})

-- name: store_counts
INSERT INTO puppylog.value_counts BY NAME SELECT * FROM counts

-- name: complete
UPDATE puppylog.tallies SET is_complete = true, step_s = {step_s} WHERE id IN ({ids})

-- name: delete_begun
DELETE FROM puppylog.tallies WHERE id IN ({ids})

-- name: has_interrupted
SELECT EXISTS (FROM puppylog.tallies WHERE NOT is_complete) AS is_found

-- name: repeat_interrupted
INSERT INTO puppylog.untallied SELECT DISTINCT starts_at, to_timestamp(0) FROM puppylog.tallies WHERE NOT is_complete;
DELETE FROM puppylog.tallies WHERE NOT is_complete

-- name: orphans
-- The tallies that are deleted and whose counts are still stored.
SELECT DISTINCT tally_id FROM puppylog.value_counts ANTI JOIN puppylog.tallies ON tallies.id = value_counts.tally_id

-- name: delete_counts
DELETE FROM puppylog.value_counts WHERE tally_id IN ({ids})
