-- Native partitions by day. Records of days far from now, and of days whose partition could not be created in time, go
-- into the default partition. So each record has a partition, and odd dates in a log do not create many partitions.

CREATE TABLE puppylog.log_records_rest PARTITION OF puppylog.log_records DEFAULT;
CREATE INDEX ON puppylog.log_records (ts);
-- Finds new records by file and offset. A BRIN index costs little on insertion.
CREATE INDEX ON puppylog.log_records USING brin (file_id, line_offset) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX ON puppylog.rejected_lines (stream_id, rejected_at);
