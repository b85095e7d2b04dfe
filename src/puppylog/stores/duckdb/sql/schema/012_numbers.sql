-- The values of a field of numbers are kept as numbers, so its tallies are made again: see NUMBERS of puppylog/stores/tallies.py.
ALTER TABLE puppylog.value_counts ADD COLUMN number BIGINT;

INSERT INTO puppylog.untallied
SELECT DISTINCT starts_at, to_timestamp(0)
FROM puppylog.tallies
WHERE is_complete AND starts_at NOT IN (SELECT starts_at FROM puppylog.untallied);

DELETE FROM puppylog.tallies WHERE field = 'response_bytes' AND is_complete;
