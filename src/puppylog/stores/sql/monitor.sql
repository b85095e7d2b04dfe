-- Queries of the monitor: metrics, alerts, records. They only read, and are the same on every kind of store.

-- name: metrics
-- The metrics, each with the time up to which it is materialized, and a row for each of its levels: the seconds in a bucket,
-- and up to where the level is materialized. The metric's own roll-up is one of its levels. step_s is null if the metric has
-- none. `has_sizes`: whether puppylog.level_sizes has the number of different buckets.
-- A store plans one such query in less time than one of the metrics and one of the levels, or than one that sorts.
SELECT metrics.id, metrics.name, metrics.statistic, metrics.property, metrics.period_s, metrics.segment, metrics.filter,
       metrics.of, metrics.refresh_s, groups.name AS group_name, metrics.created_at, metrics.refreshed_at,
       -- Before the first refresh the watermark is a time before every record. It is shown as null.
       CASE WHEN metrics.watermark > '0001-01-02T00:00:00Z'::TIMESTAMPTZ THEN metrics.watermark END AS watermark,
       metrics.error, metrics.id IN (SELECT metric_id FROM puppylog.metrics_being_checked) AS is_being_checked,
       levels.step_s,
       CASE WHEN levels.watermark > '0001-01-02T00:00:00Z'::TIMESTAMPTZ THEN levels.watermark END AS level_watermark,
       levels.has_sizes
FROM puppylog.metrics AS metrics
LEFT JOIN puppylog.log_groups AS groups ON groups.id = metrics.group_id
LEFT JOIN puppylog.metric_levels AS levels ON levels.metric_id = metrics.id

-- name: since_bucket
bucket >= {instant}::TIMESTAMPTZ

-- name: until_bucket
bucket < {instant}::TIMESTAMPTZ

-- name: newest_record
SELECT max(ts) AS newest FROM puppylog.log_records WHERE ts >= $since::TIMESTAMPTZ AND ts < $until::TIMESTAMPTZ

-- name: newest_level_buckets
-- The newest buckets of a level, at least how many of the metric's own buckets each has, and of how many segments.
SELECT bucket, max(buckets) AS buckets, count(*) AS segments
FROM puppylog.level_{id}_{step_s}
WHERE {where}
GROUP BY bucket
ORDER BY bucket DESC
LIMIT $most

-- name: ranked_segments
-- The $max_segments largest segments of some observations, the number of all segments, and what the sizes of the others add
-- up to.
WITH sized AS MATERIALIZED (
    SELECT segment, coalesce({size}, 0) AS size
    FROM (
        SELECT segment, CASE WHEN abs(value) < CAST('Infinity' AS DOUBLE PRECISION) THEN value END AS value
        FROM ({observations}) AS observed
    ) AS finite
    GROUP BY segment
), ranked AS MATERIALIZED (
    SELECT segment, size, row_number() OVER (ORDER BY size DESC, coalesce(segment, '')) AS place FROM sized
), others AS (
    SELECT count(*) AS left_out, coalesce(sum(size), 0) AS rest FROM ranked WHERE place > $max_segments
)
SELECT ranked.segment, others.left_out, others.rest
FROM ranked
CROSS JOIN others
WHERE ranked.place <= $max_segments
ORDER BY ranked.place

-- name: metric_extent
-- The numbers of a metric's observations, buckets and segments, and its first and last bucket.
SELECT count(*) AS observations, count(DISTINCT bucket) AS buckets,
       (SELECT count(DISTINCT segment) FROM ({segments}) AS segments) AS segments,
       min(bucket) AS first_bucket, max(bucket) AS last_bucket
FROM metrics.{metric}

-- name: observations
-- The observations of a metric in a range.
SELECT bucket, segment, value
FROM metrics.{metric}
WHERE bucket >= $since::TIMESTAMPTZ AND bucket < $until::TIMESTAMPTZ AND {in_segments}

-- name: newest_buckets
-- The first of the newest buckets of a metric that are not empty, and how many there are, up to $buckets.
SELECT min(bucket) AS since, count(*) AS buckets
FROM (
    SELECT DISTINCT bucket
    FROM metrics.{metric}
    WHERE bucket >= $since::TIMESTAMPTZ AND bucket < $until::TIMESTAMPTZ AND {in_segments}
    ORDER BY bucket DESC
    LIMIT $buckets
) AS newest

-- name: series
-- The newest observations of one series: a metric without segments, or one segment of a metric.
SELECT bucket, segment, value
FROM (
    SELECT bucket, segment, value
    FROM metrics.{metric}
    WHERE bucket >= $since::TIMESTAMPTZ AND bucket < $until::TIMESTAMPTZ AND {in_segments}
    ORDER BY bucket DESC
    LIMIT $buckets
) AS newest
ORDER BY bucket

-- name: series_by_segment
-- All observations in the newest buckets. The metric is read only once, because its live part may be expensive.
WITH observations AS MATERIALIZED (
    SELECT bucket, segment, value
    FROM metrics.{metric}
    WHERE {in_range}
)
SELECT bucket, segment, value
FROM observations
WHERE bucket IN (SELECT DISTINCT bucket FROM observations ORDER BY bucket DESC LIMIT $buckets)
ORDER BY bucket, segment

-- name: series_count
-- The number of nonempty buckets of a metric or of one of its segments, counted up to $most.
SELECT count(*) AS n
FROM (
    SELECT DISTINCT bucket
    FROM metrics.{metric}
    WHERE bucket >= $since::TIMESTAMPTZ AND bucket < $until::TIMESTAMPTZ AND {in_segments}
    LIMIT $most
) AS counted

-- name: series_extent
-- The first and the last nonempty bucket of a metric or of one of its segments.
SELECT min(bucket) AS first_bucket, max(bucket) AS last_bucket
FROM metrics.{metric}
WHERE bucket >= $since::TIMESTAMPTZ AND bucket < $until::TIMESTAMPTZ AND {in_segments}

-- name: series_in_steps
-- All observations, with several buckets combined into one step. Steps are aligned to the epoch, as buckets are.
SELECT to_timestamp(floor(date_part('epoch', bucket) / $step_s) * $step_s) AS bucket, segment, {value} AS value
FROM metrics.{metric}
WHERE bucket >= $since::TIMESTAMPTZ AND bucket < $until::TIMESTAMPTZ AND {in_segments}
GROUP BY 1, 2

-- name: chosen_segments
-- The observations of some segments.
SELECT bucket, segment, value FROM ({observations}) AS observed WHERE {in_segments}

-- name: in_order
-- Observations in the order of their buckets and segments.
SELECT bucket, segment, value FROM ({observations}) AS observed ORDER BY 1, 2

-- name: alert_states
-- The alerts (one, those of one group's metrics, or all), with a row for each judged segment. An alert without a judged
-- segment has one row. last_transition is the newest transition of any alert in the same snapshot. An acknowledgement
-- ends with the next transition of its segment.
SELECT alerts.name, metrics.name AS metric, groups.name AS group_name, alerts.statistic, alerts.comparison,
       alerts.level, alerts.window_s, alerts.period_s, alerts.for_s, alerts.keep_firing_for_s, alerts.delay_s,
       alerts.each_segment, alerts.no_data, alerts.contacts, alerts.group_wait_s, alerts.repeat_s, alerts.severity,
       alerts.summary, alerts.created_at, alerts.evaluated_at, alerts.error,
       alerts.unjudged_segments, alerts.skipped_since, alerts.skipped_until,
       extract(epoch FROM now() - alerts.evaluated_at)::DOUBLE PRECISION AS evaluated_age_s,
       states.segment, states.state, states.since, states.value, changed.last_fired_at, streams.source_uri, seen.author AS acknowledged_by,
       (SELECT coalesce(max(id), 0) FROM puppylog.alert_history) AS last_transition
FROM puppylog.alerts AS alerts
JOIN puppylog.metrics AS metrics ON metrics.id = alerts.metric_id
LEFT JOIN puppylog.log_groups AS groups ON groups.id = metrics.group_id
LEFT JOIN puppylog.alert_states AS states ON states.alert_id = alerts.id
LEFT JOIN puppylog.log_streams AS streams
  ON metrics.segment = 'stream_id' AND CAST(streams.id AS TEXT) = states.segment
LEFT JOIN (
    SELECT alert_id, segment, max(CASE WHEN to_state = 'firing' THEN evaluated_at END) AS last_fired_at, max(id) AS newest_id
    FROM puppylog.alert_history
    GROUP BY alert_id, segment
) AS changed ON changed.alert_id = alerts.id AND changed.segment IS NOT DISTINCT FROM states.segment
LEFT JOIN puppylog.acknowledgements AS seen
  ON seen.alert_id = alerts.id AND seen.segment IS NOT DISTINCT FROM states.segment
 AND states.state IN ('firing', 'no_data') AND seen.history_id >= coalesce(changed.newest_id, 0)
WHERE alerts.name = coalesce($name, alerts.name)
  AND coalesce(groups.name, '') = coalesce($group, groups.name, '')
ORDER BY alerts.name, states.segment

-- name: silences_now
-- The silences that hold messages back at present, the one that ends last first.
SELECT name, alert, segment, starts_at, ends_at, author, comment, is_declared
FROM puppylog.silences
WHERE starts_at <= now() AND now() < ends_at
ORDER BY ends_at DESC, name

-- name: transitions
-- The newest transitions of one alert.
SELECT evaluated_at, segment, from_state, to_state, value, comparison, level, window_since, window_until, made_up, recorded_at
FROM (
    SELECT history.*
    FROM puppylog.alert_history AS history
    JOIN puppylog.alerts AS alerts ON alerts.id = history.alert_id
    WHERE alerts.name = $name AND history.evaluated_at >= $since::TIMESTAMPTZ AND history.evaluated_at < $until::TIMESTAMPTZ
    ORDER BY history.id DESC
    LIMIT $transitions
) AS newest
ORDER BY newest.id

-- name: history_of_alert
-- The newest transitions of one alert, the newest first, with their numbers.
SELECT history.id, history.evaluated_at, history.segment, history.from_state, history.to_state, history.value,
       history.comparison, history.level, history.window_since, history.window_until, history.made_up,
       history.evidence_omitted, streams.source_uri
FROM puppylog.alert_history AS history
JOIN puppylog.alerts AS alerts ON alerts.id = history.alert_id
LEFT JOIN puppylog.metrics AS metrics ON metrics.id = alerts.metric_id
LEFT JOIN puppylog.log_streams AS streams
  ON metrics.segment = 'stream_id' AND CAST(streams.id AS TEXT) = history.segment
WHERE alerts.name = $name AND history.evaluated_at >= $since::TIMESTAMPTZ AND history.evaluated_at < $until::TIMESTAMPTZ
ORDER BY history.id DESC
LIMIT $transitions

-- name: evidence_of_transitions
-- The sample records of transitions, of each the newest record first.
SELECT evidence.history_id, evidence.ts, evidence.stream_id, evidence.file_id, evidence.line_offset,
       CAST(evidence.record AS TEXT) AS record
FROM puppylog.alert_evidence AS evidence
WHERE evidence.history_id = ANY(string_to_array($transitions, ',')::BIGINT[])
ORDER BY evidence.history_id, evidence.place

-- name: evidence_of_alert
-- The sample records of those of the newest transitions of one alert that were to firing. A transition without samples
-- has one row. `omitted` says why there are no more samples.
SELECT newest.evaluated_at, newest.segment, evidence.ts, streams.source_uri, evidence.file_id, evidence.line_offset,
       CAST(evidence.record AS TEXT) AS record, newest.evidence_omitted AS omitted
FROM (
    SELECT history.*
    FROM puppylog.alert_history AS history
    JOIN puppylog.alerts AS alerts ON alerts.id = history.alert_id
    WHERE alerts.name = $name AND history.evaluated_at >= $since::TIMESTAMPTZ AND history.evaluated_at < $until::TIMESTAMPTZ
    ORDER BY history.id DESC
    LIMIT $transitions
) AS newest
LEFT JOIN puppylog.alert_evidence AS evidence ON evidence.history_id = newest.id
LEFT JOIN puppylog.log_streams AS streams ON streams.id = evidence.stream_id
WHERE newest.to_state = 'firing'
ORDER BY newest.id, evidence.place

-- name: transitions_count
-- The number of transitions of one alert, counted up to $most.
SELECT count(*) AS n
FROM (
    SELECT history.id
    FROM puppylog.alert_history AS history
    JOIN puppylog.alerts AS alerts ON alerts.id = history.alert_id
    WHERE alerts.name = $name AND history.evaluated_at >= $since::TIMESTAMPTZ AND history.evaluated_at < $until::TIMESTAMPTZ
    LIMIT $most
) AS counted

-- name: transitions_after
-- All transitions that were recorded after the transition $after, in order.
SELECT history.id, alerts.name, history.evaluated_at, history.segment, history.from_state, history.to_state, history.value,
       history.comparison, history.level, streams.source_uri
FROM puppylog.alert_history AS history
JOIN puppylog.alerts AS alerts ON alerts.id = history.alert_id
LEFT JOIN puppylog.metrics AS metrics ON metrics.id = alerts.metric_id
LEFT JOIN puppylog.log_streams AS streams
  ON metrics.segment = 'stream_id' AND CAST(streams.id AS TEXT) = history.segment
LEFT JOIN puppylog.log_groups AS groups ON groups.id = metrics.group_id
WHERE history.id > $after AND coalesce(groups.name, '') = coalesce($group, groups.name, '')
ORDER BY history.id

-- name: heartbeat
-- The evaluator's last heartbeat; its age is measured by the store's clock.
SELECT evaluator, beat_at, error, extract(epoch FROM now() - beat_at)::DOUBLE PRECISION AS age_s
FROM puppylog.heartbeat

-- name: groups
-- The log groups, with the numbers of their streams, files and stored bytes.
SELECT groups.name, count(DISTINCT streams.id) AS streams, count(files.id) AS files,
       coalesce(sum(files.byte_offset), 0)::BIGINT AS bytes, max(files.moved_at) AS moved_at
FROM puppylog.log_groups AS groups
LEFT JOIN puppylog.log_streams AS streams ON streams.group_id = groups.id
LEFT JOIN puppylog.log_files AS files ON files.stream_id = streams.id
GROUP BY groups.name
ORDER BY groups.name

-- name: names
-- The names of all metrics, alerts or groups.
SELECT name
FROM (
    SELECT 'metric' AS kind, name FROM puppylog.metrics
    UNION ALL
    SELECT 'alert' AS kind, name FROM puppylog.alerts
    UNION ALL
    SELECT 'group' AS kind, name FROM puppylog.log_groups
) AS named
WHERE kind = $kind
ORDER BY name

-- name: group_of_name
SELECT id FROM puppylog.log_groups WHERE name = $name

-- name: records
-- The newest records that pass the filter, the oldest of them first.
SELECT *
FROM (
    SELECT *
    {chosen}
    ORDER BY ts DESC, file_id DESC, line_offset DESC
    LIMIT $records
) AS newest
ORDER BY ts, file_id, line_offset

-- name: page_of_newest
-- The newest records that pass the filter and come after the cursor, the newest first.
SELECT {columns}
FROM (
    SELECT *
    {chosen}
      AND {after_cursor}
    ORDER BY ts DESC, file_id DESC, line_offset DESC
    LIMIT $records
) AS page
ORDER BY page.ts DESC, page.file_id DESC, page.line_offset DESC

-- name: page_of_oldest
-- The oldest records that pass the filter and come after the cursor, the oldest first.
SELECT {columns}
FROM (
    SELECT *
    {chosen}
      AND {after_cursor}
    ORDER BY ts, file_id, line_offset
    LIMIT $records
) AS page
ORDER BY page.ts, page.file_id, page.line_offset

-- name: older_than_cursor
-- The condition that a record comes after the cursor, if the newest are first. Several records may have one time.
(ts < $at::TIMESTAMPTZ OR ts = $at::TIMESTAMPTZ
    AND (file_id < $file_id OR file_id = $file_id AND line_offset < $line_offset))

-- name: newer_than_cursor
-- The same if the oldest are first.
(ts > $at::TIMESTAMPTZ OR ts = $at::TIMESTAMPTZ
    AND (file_id > $file_id OR file_id = $file_id AND line_offset > $line_offset))

-- name: cut_text
-- A column of text, cut to $characters, and its whole length in characters if it was cut.
CASE WHEN length({column}) > $characters THEN left({column}, $characters) ELSE {column} END AS {column},
CASE WHEN length({column}) > $characters THEN length({column}) END AS {column}_length

-- name: short_attributes
-- The attributes, or null and their length in characters if they are longer than $attributes.
CASE WHEN length(CAST(attributes AS TEXT)) <= $attributes THEN CAST(attributes AS TEXT) END AS attributes,
CASE WHEN length(CAST(attributes AS TEXT)) > $attributes THEN length(CAST(attributes AS TEXT)) END AS attributes_length

-- name: chosen_records
-- The end of a query about all records that a search finds.
FROM puppylog.log_records
WHERE ts >= $since::TIMESTAMPTZ AND ts < $until::TIMESTAMPTZ
  AND {in_group}
  AND {where}

-- name: chosen_in_parts
-- The same on the embedded store, if the records are found in parts, and no record by two of them.
FROM ({parts}) AS log_records
WHERE true

-- name: whole_part
-- The records of a part.
SELECT * {chosen}

-- name: chosen_part
-- The records of a part that pass another condition. Through a LIMIT, DuckDB does not move the condition. Beside one on
-- another column, the first condition would be tested after all columns of all records were read.
SELECT * FROM (SELECT * {chosen} LIMIT 9223372036854775807) AS log_records WHERE {then}

-- name: newest_time
-- The time of the newest record; null if there is none.
SELECT max(ts) AS newest
FROM puppylog.log_records
WHERE ts >= $since::TIMESTAMPTZ AND ts < $until::TIMESTAMPTZ

-- name: all_records
-- All records that pass the filter, with the chosen columns, in no order. This query has no parameters: it is streamed
-- as a user's own SQL is.
SELECT {columns}
FROM puppylog.log_records
WHERE ts >= '{since}'::TIMESTAMPTZ AND ts < '{until}'::TIMESTAMPTZ
  AND {in_group}
  AND {where}

-- name: days
-- The days with rows, as numbers of days since the epoch in UTC, and how many rows each has.
SELECT floor(extract(epoch FROM {instant}) / 86400)::BIGINT AS day, count(*) AS row_count
FROM puppylog.{table}
GROUP BY 1
ORDER BY 1

-- name: rows_of_day
-- The rows of a day. This query has no parameters: it is streamed as a user's own SQL is.
SELECT {columns}
FROM puppylog.{table}
WHERE {instant} >= '{since}'::TIMESTAMPTZ AND {instant} < '{until}'::TIMESTAMPTZ

-- name: names_of_streams
SELECT streams.id, streams.source_uri, groups.name AS group_name, CAST(streams.labels AS TEXT) AS labels
FROM puppylog.log_streams AS streams
LEFT JOIN puppylog.log_groups AS groups ON groups.id = streams.group_id

-- name: store_id
SELECT id AS store_id FROM puppylog.store_ids

-- name: paths_of_files
SELECT id, path FROM puppylog.log_files

-- name: streams
-- The streams, with their groups, files and stored bytes, in the order of their sources.
SELECT streams.id AS stream_id, streams.source_uri, groups.name AS group, CAST(streams.labels AS TEXT) AS labels,
       count(files.id) AS files, coalesce(sum(files.byte_offset), 0)::BIGINT AS bytes, max(files.moved_at) AS stored_at
FROM puppylog.log_streams AS streams
LEFT JOIN puppylog.log_groups AS groups ON groups.id = streams.group_id
LEFT JOIN puppylog.log_files AS files ON files.stream_id = streams.id
GROUP BY streams.id, streams.source_uri, groups.name, CAST(streams.labels AS TEXT)
ORDER BY streams.source_uri

-- name: source_uris
-- The source of every stream.
SELECT source_uri FROM puppylog.log_streams

-- name: newest_attributes
-- The attributes of the newest records that have any.
SELECT attributes
FROM puppylog.log_records
WHERE attributes IS NOT NULL
ORDER BY ts DESC
LIMIT $records

-- name: records_count
-- The number of records that pass the filter, counted up to $most.
SELECT count(*) AS n
FROM (
    SELECT file_id
    {chosen}
    LIMIT $most
) AS counted

-- name: positions
-- The position of each file: all lines before this byte are committed.
SELECT id AS file_id, byte_offset FROM puppylog.log_files

-- name: arrived_records
-- The records whose lines start in byte ranges of files.
SELECT boxes.*
FROM ({boxes}) AS boxes
ORDER BY boxes.ts, boxes.file_id, boxes.line_offset

-- name: moved_positions
-- The position of each file that has moved since a moment, and when it moved, in microseconds since the epoch; and the
-- present moment by the store's clock, which is there also if no file has moved.
SELECT files.id AS file_id, files.byte_offset, (extract(epoch FROM files.moved_at) * 1000000)::BIGINT AS moved_us,
       (extract(epoch FROM clock.read_at) * 1000000)::BIGINT AS read_us
FROM (SELECT now() AS read_at) AS clock
LEFT JOIN puppylog.log_files AS files ON extract(epoch FROM files.moved_at) * 1000000 >= $since_us

-- name: newest_arrived_records
-- The newest records whose lines start in byte ranges of files, the oldest of them first.
SELECT {columns}
FROM (
    SELECT boxes.*
    FROM ({boxes}) AS boxes
    ORDER BY boxes.ts DESC, boxes.file_id DESC, boxes.line_offset DESC
    LIMIT $records
) AS newest
ORDER BY newest.ts, newest.file_id, newest.line_offset

-- name: arrived_records_count
-- The number of records whose lines start in byte ranges of files.
SELECT count(*) AS n
FROM ({boxes}) AS boxes

-- name: box
-- The records in byte ranges that lie in one box: some files, and a range of bytes. Each box is a query of its own, because
-- a store skips the other records then; a box around all ranges would have most of the records of a file that is much
-- longer than the others. The ranges are joined to each box: Citus cannot join them to the union of several.
SELECT lines.*
FROM (
    SELECT *
    FROM puppylog.log_records
    WHERE file_id BETWEEN $lowest_file_{letter} AND $highest_file_{letter}
      AND line_offset BETWEEN $lowest_offset_{letter} AND $highest_offset_{letter}
      AND ts >= $since::TIMESTAMPTZ AND ts < $until::TIMESTAMPTZ
      AND {in_group}
      AND {where}
) AS lines
{in_ranges_of_box}

-- name: in_any_group
-- The condition of a search in all groups.
true

-- name: in_one_group
-- The condition of a search in one group.
stream_id IN (SELECT streams.id FROM puppylog.log_streams AS streams WHERE streams.group_id = $group_id)

-- name: definitions
-- The numbers of metrics and alerts.
SELECT (SELECT count(*) FROM puppylog.metrics) AS metrics, (SELECT count(*) FROM puppylog.alerts) AS alerts

-- name: alert_health
-- The seconds since each alert's last evaluation, by the store's clock, and the error of that evaluation.
SELECT name, period_s, error, unjudged_segments, skipped_since, skipped_until,
       extract(epoch FROM now() - evaluated_at)::DOUBLE PRECISION AS age_s
FROM puppylog.alerts
ORDER BY name

-- name: clock_steps
-- By how many seconds the store's clock was set back, and how long ago this was noticed, for each kind of instant.
SELECT part, back_s, rebased, extract(epoch FROM now() - noticed_at)::DOUBLE PRECISION AS age_s
FROM puppylog.clock_steps
ORDER BY part

-- name: stream_health
-- The streams, each with its newest file and the seconds since lines of that file were committed.
SELECT streams.id AS stream_id, streams.source_uri, files.path, files.byte_offset, files.finished,
       extract(epoch FROM now() - files.moved_at)::DOUBLE PRECISION AS age_s
FROM puppylog.log_streams AS streams
LEFT JOIN (
    SELECT stream_id, path, byte_offset, finished, moved_at,
           row_number() OVER (PARTITION BY stream_id ORDER BY id DESC) AS place
    FROM puppylog.log_files
) AS files ON files.stream_id = streams.id AND files.place = 1
ORDER BY streams.source_uri

-- name: streams_exist
-- Whether a stream passes the filter, which is a condition on the column stream_id.
SELECT EXISTS (SELECT 1 FROM (SELECT id AS stream_id FROM puppylog.log_streams) AS streams WHERE {where}) AS is_found

-- name: origins
-- All registered files, each with the source and the group of its stream.
SELECT files.id AS file_id, streams.id AS stream_id, files.path, streams.source_uri, groups.name AS group_name
FROM puppylog.log_files AS files
JOIN puppylog.log_streams AS streams ON streams.id = files.stream_id
LEFT JOIN puppylog.log_groups AS groups ON groups.id = streams.group_id
ORDER BY files.id

-- name: origins_of_files
-- The same of some files.
SELECT files.id AS file_id, streams.id AS stream_id, files.path, streams.source_uri, groups.name AS group_name
FROM puppylog.log_files AS files
JOIN puppylog.log_streams AS streams ON streams.id = files.stream_id
LEFT JOIN puppylog.log_groups AS groups ON groups.id = streams.group_id
WHERE files.id = ANY(string_to_array($files, ',')::INTEGER[])

-- name: oldest_time
-- The time of the oldest record; null if there is none.
SELECT min(ts) AS oldest
FROM puppylog.log_records
WHERE ts >= $since::TIMESTAMPTZ AND ts < $until::TIMESTAMPTZ

-- name: places_in_ranges
-- The places of all records whose lines start in byte ranges of files.
SELECT lines.file_id, lines.line_offset
FROM (SELECT file_id, line_offset FROM puppylog.log_records WHERE {in_bounds}) AS lines
{in_ranges}
ORDER BY lines.file_id, lines.line_offset

-- name: records_at
-- The records at these places. The lists have one number per place. The bounds are true for all places.
SELECT records.*
FROM (
    SELECT *
    FROM puppylog.log_records
    WHERE file_id BETWEEN $lowest_file AND $highest_file AND line_offset BETWEEN $lowest_offset AND $highest_offset
) AS records
JOIN (
    SELECT unnest(string_to_array($files, ','))::INTEGER AS file_id,
           unnest(string_to_array($offsets, ','))::BIGINT AS line_offset
) AS places
  ON places.file_id = records.file_id AND places.line_offset = records.line_offset

-- name: cut_records
-- The records that a query finds, with long texts cut.
SELECT {columns}
FROM ({found}) AS found

-- name: contents
-- Whether the store has any records, any of requests, and any with a severity.
SELECT EXISTS (SELECT 1 FROM puppylog.log_records) AS has_records,
       EXISTS (SELECT 1 FROM puppylog.log_records WHERE status_code IS NOT NULL) AS has_requests,
       EXISTS (SELECT 1 FROM puppylog.log_records WHERE severity IS NOT NULL) AS has_severities

-- name: file_positions
-- The position and the fingerprint of these files, the source of each, and the format of its lines as last reported.
SELECT files.id AS file_id, files.stream_id, files.path, files.device, files.inode, files.head_size, files.head_hash,
       files.marker_size, files.marker_hash, files.byte_offset, files.finished, files.context, streams.source_uri,
       coalesce(reports.format, '') AS format
FROM puppylog.log_files AS files
JOIN puppylog.log_streams AS streams ON streams.id = files.stream_id
LEFT JOIN puppylog.stream_reports AS reports ON reports.stream_id = streams.id
WHERE files.id = ANY(string_to_array($files, ',')::INTEGER[])

-- name: rows_of_stream
-- The numbers of records and of rejected lines that are stored of each file of a stream, and the offset of the first of
-- them. Files without rows are left out.
SELECT file_id, CAST(sum(records) AS BIGINT) AS records, CAST(sum(rejects) AS BIGINT) AS rejects,
       min(first_offset) AS first_offset
FROM (
    SELECT file_id, count(*) AS records, 0 AS rejects, min(line_offset) AS first_offset
    FROM puppylog.log_records WHERE stream_id = $stream_id GROUP BY file_id
    UNION ALL
    SELECT file_id, 0 AS records, count(*) AS rejects, min(line_offset) AS first_offset
    FROM puppylog.rejected_lines WHERE stream_id = $stream_id GROUP BY file_id
) AS stored
GROUP BY file_id

-- name: untimed_records
-- Per stream, the numbers of the records from $from_hour to $to_hour hours ago whose lines have no time of their own
-- (before, read) and whose stamp names a zone that can mean several (in_zones). Other streams are left out.
SELECT counted.*, streams.source_uri
FROM (
    SELECT stream_id, count(CASE WHEN source = 'before' THEN 1 END) AS before,
           count(CASE WHEN source = 'read' THEN 1 END) AS read,
           -- Only the abbreviation of such a zone is kept. Programs write other things as an attribute of this name.
           count(CASE WHEN zone = upper(zone) AND length(zone) <= 5 THEN 1 END) AS in_zones
    FROM (
        SELECT stream_id, (attributes ->> 'ts_source') AS source, (attributes ->> 'zone') AS zone
        FROM puppylog.log_records
        WHERE ts >= now() - $from_hour::INTEGER * INTERVAL '1 hour' AND ts < now() - $to_hour::INTEGER * INTERVAL '1 hour'
          AND attributes IS NOT NULL
    ) AS records
    WHERE source IN ('before', 'read') OR (zone = upper(zone) AND length(zone) <= 5)
    GROUP BY stream_id
) AS counted
JOIN puppylog.log_streams AS streams ON streams.id = counted.stream_id
