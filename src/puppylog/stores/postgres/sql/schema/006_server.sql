-- Tokens of the server's clients. A token itself is not stored.
CREATE TABLE puppylog.access_tokens (
    id integer PRIMARY KEY,
    name text NOT NULL UNIQUE,
    hash text NOT NULL UNIQUE,    -- SHA-256 of the token, 64 hexadecimal digits
    scope text NOT NULL,          -- ingest, read or admin
    created_at timestamptz NOT NULL,
    expires_at timestamptz,       -- null: never
    revoked_at timestamptz,       -- null: not revoked
    used_at timestamptz           -- the minute of the last use, or null
);

-- Requests of senders whose lines are stored, for an hour: an identical request is a retry, and stores nothing.
CREATE TABLE puppylog.received_requests (
    digest text PRIMARY KEY,
    answer text NOT NULL,         -- JSON of what was answered
    received_at timestamptz NOT NULL
);
CREATE INDEX ON puppylog.received_requests (received_at);
