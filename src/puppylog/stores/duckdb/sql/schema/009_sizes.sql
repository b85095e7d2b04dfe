-- The number of different buckets of a metric is counted when it is asked for: this store has no puppylog.level_sizes.
CREATE OR REPLACE VIEW puppylog.metric_levels AS
SELECT metrics.id AS metric_id, levels.step_s,
       make_timestamptz(epoch_us(metrics.watermark)
                        - (epoch_us(metrics.watermark) % (levels.step_s * 1000000::BIGINT) + levels.step_s * 1000000::BIGINT)
                        % (levels.step_s * 1000000::BIGINT)) AS watermark, false AS has_sizes
FROM puppylog.metrics AS metrics, (VALUES (60), (3600), (86400)) AS levels (step_s)
WHERE metrics.has_levels AND levels.step_s % metrics.period_s = 0 AND levels.step_s >= 4 * metrics.period_s
UNION ALL
SELECT id, period_s, watermark, false FROM puppylog.metrics WHERE has_levels;
