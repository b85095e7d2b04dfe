-- What a collector says of a stream is of what is stored: when lines were last stored, how many have been read and wait for
-- the store, and whether the file was read to its end and is gone.
ALTER TABLE puppylog.stream_reports RENAME COLUMN read_at TO stored_at;
ALTER TABLE puppylog.stream_reports ADD COLUMN waiting_lines BIGINT DEFAULT 0;
ALTER TABLE puppylog.stream_reports ALTER COLUMN waiting_lines SET NOT NULL;
ALTER TABLE puppylog.stream_reports ADD COLUMN finished BOOLEAN DEFAULT false;
ALTER TABLE puppylog.stream_reports ALTER COLUMN finished SET NOT NULL;
