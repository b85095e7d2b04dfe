-- Tokens of the server's clients. A token itself is not stored. A user's SQL cannot read this table.
CREATE TABLE puppylog.access_tokens (
    id INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    hash VARCHAR NOT NULL,        -- SHA-256 of the token, 64 hexadecimal digits
    scope VARCHAR NOT NULL,       -- ingest, read or admin
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ,       -- null: never
    revoked_at TIMESTAMPTZ,       -- null: not revoked
    used_at TIMESTAMPTZ           -- the minute of the last use, or null
);

-- Requests of senders whose lines are stored, for an hour: an identical request is a retry, and stores nothing.
CREATE TABLE puppylog.received_requests (
    prefix UBIGINT NOT NULL,      -- the first 8 characters of the digest, as a number: a commit searches all rows
    digest VARCHAR NOT NULL,
    answer VARCHAR NOT NULL,      -- JSON of what was answered
    received_at TIMESTAMPTZ NOT NULL
);
