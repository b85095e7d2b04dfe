-- Senders' requests whose lines are stored. An identical request is recognized for an hour.

-- name: find_requests
-- Those of the asked requests that are recognized, with their age in seconds. A request of the future, by a clock that was
-- set back, is of now.
SELECT digest, answer, greatest(0.0, (epoch_us(now()) - epoch_us(received_at)) / 1e6) AS age_s
FROM puppylog.received_requests
WHERE digest IN (SELECT digest FROM asked) AND received_at > now() - to_seconds($kept_s)

-- name: forget_older
-- Requests with these digests that are not recognized any more, and that no job has deleted yet.
DELETE FROM puppylog.received_requests WHERE digest IN (SELECT digest FROM received)

-- name: insert_requests
INSERT INTO puppylog.received_requests SELECT digest, answer, now() FROM received

-- name: clear_requests
DELETE FROM puppylog.received_requests WHERE received_at <= make_timestamptz($oldest_us)
