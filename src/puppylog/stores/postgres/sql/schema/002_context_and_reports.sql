-- The context of a file's parser, which is committed with the position.
ALTER TABLE puppylog.log_files ADD COLUMN context text NOT NULL DEFAULT '';
-- The function now has the context as an argument.
DROP FUNCTION IF EXISTS puppylog.move_position(
    integer, integer, bigint, bigint, integer, text, integer, text, boolean
);

-- The functions that open many streams and files at once replace these.
DROP FUNCTION IF EXISTS puppylog.open_stream(text, text);
DROP FUNCTION IF EXISTS puppylog.open_file(integer, text, bigint, bigint, bigint, text, text);

-- The last report of a collector about each stream. All times are by the server's clock.
-- Rows are updated every few seconds. The fill factor leaves space in each page for the updates.
CREATE TABLE puppylog.stream_reports (
    stream_id integer PRIMARY KEY,
    reported_at timestamptz NOT NULL,
    read_at timestamptz,               -- when lines were last read; null: not since the collector started
    behind_since timestamptz,          -- the oldest waiting byte was written before this; null: no byte waits
    backlog_bytes bigint NOT NULL,
    lines_per_s double precision NOT NULL,
    records bigint NOT NULL,           -- since the collector started, as is rejects
    rejects bigint NOT NULL,
    format text NOT NULL,              -- the format of the lines; empty: not detected yet
    problem text,                      -- why the source cannot be read now
    ended boolean NOT NULL             -- the collector has ended in order
) WITH (fillfactor = 50);

-- Replays read rejected lines file by file, and delete them by their offsets.
CREATE INDEX ON puppylog.rejected_lines (stream_id, file_id, line_offset);
