-- What the parser of a file has learnt from its lines: it is committed with the position.
ALTER TABLE puppylog.log_files ADD COLUMN context VARCHAR DEFAULT '';
ALTER TABLE puppylog.log_files ALTER COLUMN context SET NOT NULL;

-- What a collector last said of each stream that it follows, or has followed to an orderly end. All by the store's clock.
CREATE TABLE puppylog.stream_reports (
    stream_id INTEGER NOT NULL,
    reported_at TIMESTAMPTZ NOT NULL,
    read_at TIMESTAMPTZ,           -- when lines were last read; null: not since the collector started
    behind_since TIMESTAMPTZ,      -- the oldest byte that waits was there by then; null: nothing waits
    backlog_bytes BIGINT NOT NULL,
    lines_per_s DOUBLE NOT NULL,
    records BIGINT NOT NULL,       -- since the collector started, as is rejects
    rejects BIGINT NOT NULL,
    format VARCHAR NOT NULL,       -- how lines are parsed; empty: no line has told yet
    problem VARCHAR,               -- why the source cannot be read now
    ended BOOLEAN NOT NULL         -- the collector has ended in order
);
