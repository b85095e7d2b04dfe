-- Who is told of an alert's transitions: names of contacts, as a JSON array. The store knows nothing else of a contact.
ALTER TABLE puppylog.alerts ADD COLUMN contacts text NOT NULL DEFAULT '[]';
ALTER TABLE puppylog.alerts ADD COLUMN group_wait_s integer NOT NULL DEFAULT 30;
ALTER TABLE puppylog.alerts ADD COLUMN repeat_s integer NOT NULL DEFAULT 0;
ALTER TABLE puppylog.alerts ADD COLUMN severity text NOT NULL DEFAULT 'warning';
ALTER TABLE puppylog.alerts ADD COLUMN summary text NOT NULL DEFAULT '';

-- One row: the store's id, which makes the keys of its notifications unique among all stores.
CREATE TABLE puppylog.store_ids (id text NOT NULL);
INSERT INTO puppylog.store_ids VALUES (CAST(gen_random_uuid() AS text));

-- Made from the metric's row: the query of the sample records of a window. Bootstrap adds it to older metrics.
ALTER TABLE puppylog.metrics ADD COLUMN samples text;

-- Why a transition has fewer sample records than match, or none; null if nothing was left out.
ALTER TABLE puppylog.alert_history ADD COLUMN evidence_omitted text;

-- Sample records of the window of a transition to firing, the newest first. They are copies, because records are deleted
-- when they are old. ``record`` has the other columns of the record that are not null.
CREATE TABLE puppylog.alert_evidence (
    history_id bigint NOT NULL REFERENCES puppylog.alert_history ON DELETE CASCADE,
    place integer NOT NULL,            -- 1 is the newest record
    ts timestamptz NOT NULL,
    stream_id integer NOT NULL,
    file_id integer NOT NULL,
    line_offset bigint NOT NULL,
    record jsonb NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (history_id, place)
);
CREATE INDEX ON puppylog.alert_evidence (recorded_at);

-- The outbox: a row per transition and contact. The transaction that records the transition inserts it.
CREATE SEQUENCE puppylog.notification_ids AS bigint;
CREATE TABLE puppylog.notifications (
    id bigint PRIMARY KEY,             -- rows of one alert, segment and contact are sent in the order of their ids
    history_id bigint,                 -- null if there is no transition, as when the alert was deleted
    alert_id integer NOT NULL,
    alert text NOT NULL,               -- its name
    segment text,
    contact text NOT NULL,
    kind text NOT NULL,                -- firing, no_data or resolved
    evaluated_at timestamptz NOT NULL, -- the evaluation that changed the state
    episode_at timestamptz NOT NULL,   -- the evaluation of the first firing or no_data since the last resolved row
    value double precision,
    reason text,                       -- why a resolved row has no transition to ok
    state text NOT NULL,               -- waiting, sent, dead or dropped
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL,
    tried_at timestamptz,
    sent_at timestamptz,
    error text,                        -- why the last attempt failed, or why the row was dropped
    created_at timestamptz NOT NULL
);
CREATE INDEX ON puppylog.notifications (alert_id, id);
CREATE INDEX ON puppylog.notifications (created_at);
CREATE INDEX ON puppylog.notifications (tried_at) WHERE tried_at IS NOT NULL;
CREATE INDEX ON puppylog.notifications (due_at) WHERE state = 'waiting';

-- Silences hold notifications back, never evaluations.
CREATE TABLE puppylog.silences (
    id integer PRIMARY KEY,
    name text NOT NULL UNIQUE,
    alert text NOT NULL,               -- a pattern of names, as is segment: * and ?
    segment text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    author text NOT NULL,
    comment text NOT NULL,
    is_declared boolean NOT NULL,      -- in a configuration file
    created_at timestamptz NOT NULL
);

-- A person has seen that the segment fires. Ends with the episode: with the segment's next transition.
CREATE TABLE puppylog.acknowledgements (
    alert_id integer NOT NULL REFERENCES puppylog.alerts ON DELETE CASCADE,
    segment text,
    history_id bigint NOT NULL,        -- the transition that began the state
    author text NOT NULL,
    comment text NOT NULL,
    acknowledged_at timestamptz NOT NULL
);
CREATE INDEX ON puppylog.acknowledgements (alert_id);
