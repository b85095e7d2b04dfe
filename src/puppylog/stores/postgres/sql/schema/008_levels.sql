-- The roll-ups of each metric that has levels: the seconds in a bucket, and up to where the roll-up is materialized. No metric
-- has levels yet, so its own buckets answer every question.
CREATE VIEW puppylog.metric_levels AS
SELECT id AS metric_id, period_s AS step_s, watermark FROM puppylog.metrics WHERE false;
