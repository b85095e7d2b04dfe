-- The data model. No table has an index or a key, which DuckDB would check for each row of a batch. The position, which
-- moves in the same transaction as the rows, ensures that no row is stored twice.

CREATE SCHEMA puppylog;
CREATE SCHEMA metrics;

CREATE SEQUENCE puppylog.ids;

CREATE TABLE puppylog.log_groups (
    id INTEGER NOT NULL,
    name VARCHAR NOT NULL
);

CREATE TABLE puppylog.log_streams (
    id INTEGER NOT NULL,
    group_id INTEGER,
    source_uri VARCHAR NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

-- The files that a stream has read, one after another. byte_offset: every complete line before it is stored.
CREATE TABLE puppylog.log_files (
    id INTEGER NOT NULL,
    stream_id INTEGER NOT NULL,
    path VARCHAR NOT NULL,
    device BIGINT NOT NULL,
    inode BIGINT NOT NULL,
    head_size INTEGER NOT NULL,
    head_hash VARCHAR NOT NULL,
    marker_size INTEGER NOT NULL,
    marker_hash VARCHAR NOT NULL,
    byte_offset BIGINT NOT NULL,
    finished BOOLEAN NOT NULL,
    opened_at TIMESTAMPTZ NOT NULL,
    moved_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE puppylog.log_records (
    ts TIMESTAMPTZ NOT NULL,
    stream_id INTEGER NOT NULL,
    file_id INTEGER NOT NULL,
    line_offset BIGINT NOT NULL,
    host VARCHAR,
    ident VARCHAR,
    ruser VARCHAR,
    request_method VARCHAR,
    request_route VARCHAR,
    request_proto VARCHAR,
    status_code SMALLINT,
    response_bytes BIGINT,
    referer VARCHAR,
    user_agent VARCHAR,
    severity VARCHAR,
    message VARCHAR,
    attributes JSON
);

CREATE TABLE puppylog.rejected_lines (
    stream_id INTEGER NOT NULL,
    file_id INTEGER NOT NULL,
    line_offset BIGINT NOT NULL,
    rejected_at TIMESTAMPTZ NOT NULL,
    reason VARCHAR NOT NULL,
    line BLOB NOT NULL
);

-- One row per metric; its rollup table and its view can be created again from this row.
-- Buckets below the watermark are materialized; buckets above it are computed when they are read.
-- The refreshes of the metric have handled the invalidations up to refreshed_seq.
CREATE TABLE puppylog.metrics (
    id INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    statistic VARCHAR NOT NULL,
    property VARCHAR NOT NULL,
    period_s INTEGER NOT NULL,
    segment VARCHAR,
    filter VARCHAR,
    refresh_s INTEGER NOT NULL,
    group_id INTEGER,
    created_at TIMESTAMPTZ NOT NULL,
    watermark TIMESTAMPTZ NOT NULL,
    refreshed_seq BIGINT NOT NULL,
    refreshed_at TIMESTAMPTZ
);

-- Time ranges [low, high] that lines were committed to below the watermark of some metric.
CREATE TABLE puppylog.invalidations (
    seq BIGINT NOT NULL,
    low TIMESTAMPTZ NOT NULL,
    high TIMESTAMPTZ NOT NULL
);

CREATE TABLE puppylog.alerts (
    id INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    metric_id INTEGER NOT NULL,
    statistic VARCHAR NOT NULL,
    comparison VARCHAR NOT NULL,
    level DOUBLE NOT NULL,
    window_s INTEGER NOT NULL,
    period_s INTEGER NOT NULL,
    for_s INTEGER NOT NULL,
    keep_firing_for_s INTEGER NOT NULL,
    delay_s INTEGER NOT NULL,
    each_segment BOOLEAN NOT NULL,
    no_data VARCHAR NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    evaluated_at TIMESTAMPTZ NOT NULL, -- the last evaluation that is done; the next is one period later
    error VARCHAR                      -- why the last evaluation failed, or null
);

-- The states of alerts. segment is null if all segments are judged together, or if the expression gives null.
CREATE TABLE puppylog.alert_states (
    alert_id INTEGER NOT NULL,
    segment VARCHAR,
    state VARCHAR NOT NULL,
    since TIMESTAMPTZ NOT NULL,   -- the evaluation that brought this state
    clear_since TIMESTAMPTZ,      -- while firing: since when the threshold is no longer crossed
    value DOUBLE,
    evaluated_at TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ           -- the last evaluation that observed anything
);

-- Append-only: one row per change of state.
CREATE TABLE puppylog.alert_history (
    id BIGINT NOT NULL,
    alert_id INTEGER NOT NULL,
    segment VARCHAR,
    evaluated_at TIMESTAMPTZ NOT NULL,
    from_state VARCHAR NOT NULL,
    to_state VARCHAR NOT NULL,
    value DOUBLE,
    comparison VARCHAR NOT NULL,
    level DOUBLE NOT NULL,
    window_since TIMESTAMPTZ NOT NULL,
    window_until TIMESTAMPTZ NOT NULL,
    made_up BOOLEAN NOT NULL,     -- the evaluation was missed when it was due and caught up later
    recorded_at TIMESTAMPTZ NOT NULL
);

-- One row: the last heartbeat of the evaluator of metrics and alerts, and its error.
CREATE TABLE puppylog.heartbeat (
    evaluator VARCHAR NOT NULL,
    beat_at TIMESTAMPTZ NOT NULL,
    error VARCHAR
);
