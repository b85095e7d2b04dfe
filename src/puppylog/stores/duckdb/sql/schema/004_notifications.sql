-- Who is told of an alert's transitions: names of contacts, as a JSON array. The store knows nothing else of a contact.
ALTER TABLE puppylog.alerts ADD COLUMN contacts VARCHAR DEFAULT '[]';
ALTER TABLE puppylog.alerts ALTER COLUMN contacts SET NOT NULL;
ALTER TABLE puppylog.alerts ADD COLUMN group_wait_s INTEGER DEFAULT 30;
ALTER TABLE puppylog.alerts ALTER COLUMN group_wait_s SET NOT NULL;
ALTER TABLE puppylog.alerts ADD COLUMN repeat_s INTEGER DEFAULT 0;
ALTER TABLE puppylog.alerts ALTER COLUMN repeat_s SET NOT NULL;
ALTER TABLE puppylog.alerts ADD COLUMN severity VARCHAR DEFAULT 'warning';
ALTER TABLE puppylog.alerts ALTER COLUMN severity SET NOT NULL;
ALTER TABLE puppylog.alerts ADD COLUMN summary VARCHAR DEFAULT '';
ALTER TABLE puppylog.alerts ALTER COLUMN summary SET NOT NULL;

-- One row: the store's id, which makes the keys of its notifications unique among all stores.
CREATE TABLE puppylog.store_ids (id VARCHAR NOT NULL);
INSERT INTO puppylog.store_ids SELECT CAST(uuid() AS VARCHAR);

-- Why a transition has fewer sample records than match, or none; null if nothing was left out.
ALTER TABLE puppylog.alert_history ADD COLUMN evidence_omitted VARCHAR;

-- Sample records of the window of a transition to firing, the newest first. They are copies, because records are deleted
-- when they are old. `record` has the other columns of the record that are not null.
CREATE TABLE puppylog.alert_evidence (
    history_id BIGINT NOT NULL,
    place INTEGER NOT NULL,        -- 1 is the newest record
    ts TIMESTAMPTZ NOT NULL,
    stream_id INTEGER NOT NULL,
    file_id INTEGER NOT NULL,
    line_offset BIGINT NOT NULL,
    record JSON NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL
);

-- The outbox: a row per transition and contact. The transaction that records the transition inserts it.
CREATE SEQUENCE puppylog.notification_ids;
CREATE TABLE puppylog.notifications (
    id BIGINT NOT NULL,                -- rows of one alert, segment and contact are sent in the order of their ids
    history_id BIGINT,                 -- null if there is no transition, as when the alert was deleted
    alert_id INTEGER NOT NULL,
    alert VARCHAR NOT NULL,            -- its name
    segment VARCHAR,
    contact VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,             -- firing, no_data or resolved
    evaluated_at TIMESTAMPTZ NOT NULL, -- the evaluation that changed the state
    episode_at TIMESTAMPTZ NOT NULL,   -- the evaluation of the first firing or no_data since the last resolved row
    value DOUBLE,
    reason VARCHAR,                    -- why a resolved row has no transition to ok
    state VARCHAR NOT NULL,            -- waiting, sent, dead or dropped
    due_at TIMESTAMPTZ NOT NULL,
    attempts INTEGER NOT NULL,
    tried_at TIMESTAMPTZ,
    sent_at TIMESTAMPTZ,
    error VARCHAR,                     -- why the last attempt failed, or why the row was dropped
    created_at TIMESTAMPTZ NOT NULL
);

-- Silences hold notifications back, never evaluations.
CREATE TABLE puppylog.silences (
    id INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    alert VARCHAR NOT NULL,            -- a pattern of names, as is segment: * and ?
    segment VARCHAR NOT NULL,
    starts_at TIMESTAMPTZ NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL,
    author VARCHAR NOT NULL,
    comment VARCHAR NOT NULL,
    is_declared BOOLEAN NOT NULL,      -- in a configuration file
    created_at TIMESTAMPTZ NOT NULL
);

-- A person has seen that the segment fires. Ends with the episode: with the segment's next transition.
CREATE TABLE puppylog.acknowledgements (
    alert_id INTEGER NOT NULL,
    segment VARCHAR,
    history_id BIGINT NOT NULL,        -- the transition that began the state
    author VARCHAR NOT NULL,
    comment VARCHAR NOT NULL,
    acknowledged_at TIMESTAMPTZ NOT NULL
);
