-- The context of a file's parser, which is committed with the position.
ALTER TABLE puppylog.log_files ADD COLUMN context VARCHAR DEFAULT '';
ALTER TABLE puppylog.log_files ALTER COLUMN context SET NOT NULL;

-- The last report of a collector about each stream. All times are by the store's clock.
CREATE TABLE puppylog.stream_reports (
    stream_id INTEGER NOT NULL,
    reported_at TIMESTAMPTZ NOT NULL,
    read_at TIMESTAMPTZ,           -- when lines were last read; null: not since the collector started
    behind_since TIMESTAMPTZ,      -- the oldest waiting byte was written before this; null: no byte waits
    backlog_bytes BIGINT NOT NULL,
    lines_per_s DOUBLE NOT NULL,
    records BIGINT NOT NULL,       -- since the collector started, as is rejects
    rejects BIGINT NOT NULL,
    format VARCHAR NOT NULL,       -- the format of the lines; empty: not detected yet
    problem VARCHAR,               -- why the source cannot be read now
    ended BOOLEAN NOT NULL         -- the collector has ended in order
);
