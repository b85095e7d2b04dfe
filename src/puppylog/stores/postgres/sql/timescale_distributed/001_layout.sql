-- A hypertable with chunks of one day, distributed over the data nodes by stream. All other tables stay on the access
-- node.

CALL {extension}.distributed_exec('CREATE SCHEMA IF NOT EXISTS puppylog');
SELECT {extension}.create_distributed_hypertable(
    'puppylog.log_records', 'ts', 'stream_id', chunk_time_interval => INTERVAL '1 day'
);
CREATE INDEX ON puppylog.rejected_lines (stream_id, rejected_at);
ALTER TABLE puppylog.log_records SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'stream_id',
    timescaledb.compress_orderby = 'ts, file_id, line_offset'
);
