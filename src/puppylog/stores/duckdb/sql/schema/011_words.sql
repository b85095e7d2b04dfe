-- Tallies have new fields, so those of all days are made again. The old ones stay until then.
INSERT INTO puppylog.untallied
SELECT DISTINCT starts_at, to_timestamp(0)
FROM puppylog.tallies
WHERE is_complete;
