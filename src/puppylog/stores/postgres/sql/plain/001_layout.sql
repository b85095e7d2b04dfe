-- Native partitions by day. Lines of days far from now, and those of a day whose partition could not be made in time,
-- lie in the rest: so no line is ever without a place, and no log with odd dates can make partitions without end.

CREATE TABLE puppylog.log_records_rest PARTITION OF puppylog.log_records DEFAULT;
CREATE INDEX ON puppylog.log_records (ts);
-- Follows what comes in by file and offset; costs next to nothing on insertion.
CREATE INDEX ON puppylog.log_records USING brin (file_id, line_offset) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX ON puppylog.rejected_lines (stream_id, rejected_at);
