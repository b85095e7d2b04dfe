-- A hypertable with chunks of one day. TimescaleDB creates the index by time.

SELECT {extension}.create_hypertable('puppylog.log_records', 'ts', chunk_time_interval => INTERVAL '1 day');
-- Finds new records by file and offset. A BRIN index costs little on insertion.
CREATE INDEX ON puppylog.log_records USING brin (file_id, line_offset) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX ON puppylog.rejected_lines (stream_id, rejected_at);
ALTER TABLE puppylog.log_records SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'stream_id',
    timescaledb.compress_orderby = 'ts, file_id, line_offset'
);
