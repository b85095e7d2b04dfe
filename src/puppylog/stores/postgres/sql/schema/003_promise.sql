-- What a collector says of a stream is of what is stored: when lines were last stored, how many have been read and wait for
-- the store, and whether the file was read to its end and is gone.
ALTER TABLE puppylog.stream_reports RENAME COLUMN read_at TO stored_at;
ALTER TABLE puppylog.stream_reports ADD COLUMN waiting_lines bigint NOT NULL DEFAULT 0;
ALTER TABLE puppylog.stream_reports ADD COLUMN finished boolean NOT NULL DEFAULT false;
-- Both are among its arguments.
DROP FUNCTION IF EXISTS puppylog.report_streams(
    integer[], bigint[], double precision[], double precision[], double precision[], bigint[], bigint[], text[], text[],
    boolean[]
);
