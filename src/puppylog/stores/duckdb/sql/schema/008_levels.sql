-- Levels: coarser roll-ups of each metric, at 1 minute, 1 hour and 1 day, whose views are in these schemas.
CREATE SCHEMA metrics_1m;
CREATE SCHEMA metrics_1h;
CREATE SCHEMA metrics_1d;

-- Null: the metric was created by an earlier version, and has no levels yet. The engine adds them when it starts.
ALTER TABLE puppylog.metrics ADD COLUMN has_levels BOOLEAN;

-- The roll-ups of each metric by their seconds, the metric's own included, and up to where each is materialized. Level
-- buckets that the metric's watermark has not passed are computed from the metric's own buckets when they are read.
CREATE VIEW puppylog.metric_levels AS
SELECT metrics.id AS metric_id, levels.step_s,
       make_timestamptz(epoch_us(metrics.watermark)
                        - (epoch_us(metrics.watermark) % (levels.step_s * 1000000::BIGINT) + levels.step_s * 1000000::BIGINT)
                        % (levels.step_s * 1000000::BIGINT)) AS watermark
FROM puppylog.metrics AS metrics, (VALUES (60), (3600), (86400)) AS levels (step_s)
WHERE metrics.has_levels AND levels.step_s % metrics.period_s = 0 AND levels.step_s >= 4 * metrics.period_s
UNION ALL
SELECT id, period_s, watermark FROM puppylog.metrics WHERE has_levels;
