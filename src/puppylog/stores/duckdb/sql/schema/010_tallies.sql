-- Tallies: counts of the records of a day (UTC) by the values of a field, so that a question about all records of a month
-- need not read them.

-- The days whose records have changed since their tallies were made, or whose tallies were never made.
CREATE TABLE puppylog.untallied (
    starts_at TIMESTAMPTZ NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL  -- the last change, or up to two minutes before it
);

-- A complete tally counts all records of the day that begins at starts_at. The transaction that changes records of the day
-- deletes the tally.
CREATE TABLE puppylog.tallies (
    id BIGINT NOT NULL,
    starts_at TIMESTAMPTZ NOT NULL,
    field VARCHAR NOT NULL,          -- one of puppylog/stores/tallies.py
    step_s INTEGER,                  -- records are counted in steps of so many seconds: 3600 or 86400
    is_complete BOOLEAN NOT NULL     -- false: it is being made
);

-- The counts of a tally. Those of deleted tallies stay for some minutes, because a query may have chosen them.
CREATE TABLE puppylog.value_counts (
    tally_id BIGINT NOT NULL,
    starts_at TIMESTAMPTZ NOT NULL,  -- of the step
    stream_id INTEGER NOT NULL,
    value VARCHAR,                   -- null: records without a value
    records BIGINT NOT NULL,
    server_errors BIGINT,            -- records with a status of 500 or more; null for most fields, as the columns below
    response_bytes DOUBLE,           -- their sum
    first_at TIMESTAMPTZ,            -- the time of the first of these records
    last_at TIMESTAMPTZ
);

INSERT INTO puppylog.untallied
SELECT make_timestamptz(day * 86400000000), to_timestamp(0)
FROM (
    SELECT DISTINCT epoch_us(ts) // 86400000000 - CAST(epoch_us(ts) % 86400000000 < 0 AS INTEGER) AS day
    FROM puppylog.log_records
) AS days;
