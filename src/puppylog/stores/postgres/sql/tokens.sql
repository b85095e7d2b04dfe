-- Tokens of the server's clients.

-- name: list_tokens
SELECT id, name, scope, created_at, expires_at, revoked_at, used_at FROM puppylog.list_tokens()

-- name: find_tokens
SELECT hash, id, name, scope, created_at, expires_at, revoked_at, used_at FROM puppylog.find_tokens($hashes)

-- name: create_token
SELECT puppylog.create_token($name, $hash, $scope, $expires_at::timestamptz) AS is_stored

-- name: revoke_token
-- Whether the token was not revoked before; null if there is no such token.
SELECT puppylog.revoke_token($name) AS was_accepted

-- name: note_token_uses
SELECT puppylog.note_token_uses($ids)
