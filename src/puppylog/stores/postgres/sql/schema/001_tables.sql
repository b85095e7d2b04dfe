-- The data model, the same on every flavour. The flavour's own layout divides log_records into chunks of time; it runs
-- right after this file, in the same transaction.

CREATE SCHEMA puppylog;
CREATE SCHEMA metrics;

CREATE SEQUENCE puppylog.ids AS integer;

CREATE TABLE puppylog.schema_versions (
    version integer PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- One row: what was chosen when the store was installed.
CREATE TABLE puppylog.installation (
    flavour text NOT NULL,
    installed_at timestamptz NOT NULL DEFAULT now(),
    drop_after_s integer,      -- records are kept for so long; null: for ever
    columnar_after_s integer   -- chunks that are so old become columnar; null: never
);

CREATE TABLE puppylog.log_groups (
    id integer PRIMARY KEY,
    name text NOT NULL UNIQUE
);

CREATE TABLE puppylog.log_streams (
    id integer PRIMARY KEY,
    group_id integer REFERENCES puppylog.log_groups ON DELETE SET NULL,
    source_uri text NOT NULL UNIQUE,
    writer name NOT NULL,      -- the role that created the stream, and may move its positions
    created_at timestamptz NOT NULL
);

-- The files that a stream has read, one after another. byte_offset: every complete line before it is stored.
CREATE TABLE puppylog.log_files (
    id integer NOT NULL,
    stream_id integer NOT NULL,
    path text NOT NULL,
    device bigint NOT NULL,
    inode bigint NOT NULL,
    head_size integer NOT NULL,
    head_hash text NOT NULL,
    marker_size integer NOT NULL,
    marker_hash text NOT NULL,
    byte_offset bigint NOT NULL,
    finished boolean NOT NULL,
    opened_at timestamptz NOT NULL,
    moved_at timestamptz NOT NULL,
    PRIMARY KEY (stream_id, id)
);

-- No key: the position, which moves in the same transaction as the rows, ensures that no row is stored twice.
CREATE TABLE puppylog.rejected_lines (
    stream_id integer NOT NULL,
    file_id integer NOT NULL,
    line_offset bigint NOT NULL,
    rejected_at timestamptz NOT NULL DEFAULT now(),
    reason text NOT NULL,
    line bytea NOT NULL
);

-- The times [low, high] of the records of each ingest transaction, in ranges within an hour each. The table is on the
-- same node as the records of the stream, so that both become visible together.
CREATE TABLE puppylog.invalidations (
    stream_id integer NOT NULL,
    low timestamptz NOT NULL,
    high timestamptz NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- One row per metric; its aggregate and its view can be created again from this row.
-- kind: 'rollup' (a table that Puppylog refreshes) or 'continuous_aggregate' (TimescaleDB refreshes it).
-- Buckets below the watermark are materialized; buckets above it are computed when they are read.
CREATE TABLE puppylog.metrics (
    id integer PRIMARY KEY,
    name text NOT NULL UNIQUE,
    statistic text NOT NULL,
    property text NOT NULL,
    period_s integer NOT NULL CHECK (period_s > 0),
    segment text,
    filter text,
    refresh_s integer NOT NULL,
    group_id integer REFERENCES puppylog.log_groups,
    kind text NOT NULL,
    query text NOT NULL,       -- made from the row: the buckets of the records in [$1, $2), of the streams $3
    created_at timestamptz NOT NULL,
    watermark timestamptz NOT NULL DEFAULT '-infinity',
    refreshed_at timestamptz,
    error text                 -- why the last refresh failed, or null
);

-- The ranges that each metric must compute again: the invalidations, copied for each metric.
CREATE TABLE puppylog.touched_ranges (
    id bigint GENERATED ALWAYS AS IDENTITY,
    metric_id integer NOT NULL REFERENCES puppylog.metrics ON DELETE CASCADE,
    low timestamptz NOT NULL,
    high timestamptz NOT NULL
);
CREATE INDEX ON puppylog.touched_ranges (metric_id);

CREATE TABLE puppylog.alerts (
    id integer PRIMARY KEY,
    name text NOT NULL UNIQUE,
    metric_id integer NOT NULL REFERENCES puppylog.metrics,
    statistic text NOT NULL,
    comparison text NOT NULL,
    level double precision NOT NULL,
    window_s integer NOT NULL CHECK (window_s > 0),
    period_s integer NOT NULL CHECK (period_s > 0),
    for_s integer NOT NULL,
    keep_firing_for_s integer NOT NULL,
    delay_s integer NOT NULL,
    each_segment boolean NOT NULL,
    no_data text NOT NULL,
    created_at timestamptz NOT NULL,
    evaluated_at timestamptz NOT NULL, -- the last evaluation that is done; the next is one period later
    error text                         -- why the last evaluation failed, or null
);

-- The states of alerts. segment is null if all segments are judged together, or if the expression gives null.
CREATE TABLE puppylog.alert_states (
    alert_id integer NOT NULL REFERENCES puppylog.alerts ON DELETE CASCADE,
    segment text,
    state text NOT NULL,
    since timestamptz NOT NULL,        -- the evaluation that brought this state
    clear_since timestamptz,           -- while firing: since when the threshold is no longer crossed
    value double precision,
    evaluated_at timestamptz NOT NULL,
    seen_at timestamptz                -- the last evaluation that observed anything
);
CREATE UNIQUE INDEX ON puppylog.alert_states (alert_id, (segment IS NULL), (coalesce(md5(segment), '')));

-- Append-only: one row per change of state.
CREATE TABLE puppylog.alert_history (
    id bigint PRIMARY KEY,
    alert_id integer NOT NULL REFERENCES puppylog.alerts ON DELETE CASCADE,
    segment text,
    evaluated_at timestamptz NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    value double precision,
    comparison text NOT NULL,
    level double precision NOT NULL,
    window_since timestamptz NOT NULL,
    window_until timestamptz NOT NULL,
    made_up boolean NOT NULL,          -- the evaluation was missed when it was due and caught up later
    recorded_at timestamptz NOT NULL
);
CREATE SEQUENCE puppylog.signal_ids AS bigint OWNED BY puppylog.alert_history.id;
CREATE INDEX ON puppylog.alert_history (alert_id, evaluated_at);

-- One row: the last heartbeat of the evaluator of metrics and alerts, and its error.
CREATE TABLE puppylog.heartbeat (
    evaluator text NOT NULL,
    beat_at timestamptz NOT NULL,
    error text
);

CREATE TABLE puppylog.log_records (
    ts timestamptz NOT NULL,
    stream_id integer NOT NULL,
    file_id integer NOT NULL,
    line_offset bigint NOT NULL,
    host text,
    ident text,
    ruser text,
    request_method text,
    request_route text,
    request_proto text,
    status_code smallint,
    response_bytes bigint,
    referer text,
    user_agent text,
    severity text,
    message text,
    attributes jsonb
){partitioned};
