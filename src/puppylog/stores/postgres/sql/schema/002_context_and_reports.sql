-- What the parser of a file has learnt from its lines: it is committed with the position.
ALTER TABLE puppylog.log_files ADD COLUMN context text NOT NULL DEFAULT '';
-- The context is one more of its arguments.
DROP FUNCTION IF EXISTS puppylog.move_position(
    integer, integer, bigint, bigint, integer, text, integer, text, boolean
);

-- Streams and files are opened many at once.
DROP FUNCTION IF EXISTS puppylog.open_stream(text, text);
DROP FUNCTION IF EXISTS puppylog.open_file(integer, text, bigint, bigint, bigint, text, text);

-- What a collector last said of each stream that it follows, or has followed to an orderly end. All by the server's clock.
-- Rows change every few seconds and in place: pages have room for that.
CREATE TABLE puppylog.stream_reports (
    stream_id integer PRIMARY KEY,
    reported_at timestamptz NOT NULL,
    read_at timestamptz,               -- when lines were last read; null: not since the collector started
    behind_since timestamptz,          -- the oldest byte that waits was there by then; null: nothing waits
    backlog_bytes bigint NOT NULL,
    lines_per_s double precision NOT NULL,
    records bigint NOT NULL,           -- since the collector started, as is rejects
    rejects bigint NOT NULL,
    format text NOT NULL,              -- how lines are parsed; empty: no line has told yet
    problem text,                      -- why the source cannot be read now
    ended boolean NOT NULL             -- the collector has ended in order
) WITH (fillfactor = 50);

-- Rejected lines are read again file by file, and taken by their places.
CREATE INDEX ON puppylog.rejected_lines (stream_id, file_id, line_offset);
