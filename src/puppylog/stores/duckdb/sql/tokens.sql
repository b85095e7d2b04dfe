-- Tokens of the server's clients. No query returns a hash that the caller does not know.

-- name: list_tokens
SELECT id, name, scope, created_at, expires_at, revoked_at, used_at FROM puppylog.access_tokens ORDER BY name

-- name: find_tokens
SELECT tokens.hash, id, name, scope, created_at, expires_at, revoked_at, used_at
FROM puppylog.access_tokens AS tokens
JOIN asked ON asked.hash = tokens.hash

-- name: find_token_of_name
-- Whether the token of this name is accepted now, and whether it has this hash.
SELECT id, hash = $hash AS is_same, revoked_at IS NULL AND coalesce(expires_at > now(), true) AS is_accepted
FROM puppylog.access_tokens
WHERE name = $name

-- name: delete_token
DELETE FROM puppylog.access_tokens WHERE id = $id

-- name: insert_token
INSERT INTO puppylog.access_tokens (id, name, hash, scope, created_at, expires_at)
VALUES (nextval('puppylog.ids'), $name, $hash, $scope, now(), CAST($expires_at AS TIMESTAMPTZ))

-- name: revoke_token
-- A row if the token was not revoked before.
UPDATE puppylog.access_tokens SET revoked_at = now() WHERE name = $name AND revoked_at IS NULL RETURNING id

-- name: count_unnoted_uses
-- The number of these tokens whose use in this minute is not stored.
SELECT count(*) AS unnoted
FROM puppylog.access_tokens
WHERE id IN (SELECT id FROM used) AND used_at IS DISTINCT FROM date_trunc('minute', now())

-- name: note_uses
UPDATE puppylog.access_tokens SET used_at = date_trunc('minute', now()) WHERE id IN (SELECT id FROM used)
