-- The tables with a stream id are distributed by it. So the records, rejected lines, positions and invalidations of a
-- stream are on one node and become visible together. All other tables stay on the coordinator.

CREATE TABLE puppylog.log_records_rest PARTITION OF puppylog.log_records DEFAULT;
CREATE INDEX ON puppylog.log_records (ts);
SELECT create_distributed_table('puppylog.log_records', 'stream_id', shard_count => 16);
SELECT create_distributed_table('puppylog.rejected_lines', 'stream_id', colocate_with => 'puppylog.log_records');
SELECT create_distributed_table('puppylog.log_files', 'stream_id', colocate_with => 'puppylog.log_records');
SELECT create_distributed_table('puppylog.invalidations', 'stream_id', colocate_with => 'puppylog.log_records');
