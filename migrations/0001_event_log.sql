-- The event log. Its first seven columns are those of postgres-es, so that its repository reads the table unchanged.
--
-- `position` is gapless and in commit order because every append holds the row of `log_head`. `payload` and `metadata`
-- are `json`, not `jsonb`: the stored text is the canonical text (RFC 8785), byte for byte.
CREATE TABLE events (
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL,
    sequence bigint NOT NULL CHECK (sequence >= 1),
    event_type text NOT NULL,
    event_version text NOT NULL,
    payload json NOT NULL,
    metadata json NOT NULL,
    position bigint NOT NULL CHECK (position >= 1),
    event_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (position),
    CONSTRAINT events_stream_key UNIQUE (aggregate_type, aggregate_id, sequence),
    CONSTRAINT events_event_id_key UNIQUE (event_id)
);

-- The end of the log, one row. It is updated with every append: room in its page keeps the update in place.
CREATE TABLE log_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    log_id uuid NOT NULL,
    position bigint NOT NULL CHECK (position >= 0),
    recorded_at timestamptz NOT NULL
) WITH (fillfactor = 10);

INSERT INTO log_head (log_id, position, recorded_at) VALUES (gen_random_uuid(), 0, 'epoch');

-- Beside the log: the state of the book at a position, as text. It can be thrown away.
CREATE TABLE book_snapshots (
    position bigint PRIMARY KEY,
    state text NOT NULL
);

-- Nobody changes history. A superuser can remove the trigger; `viral audit verify` is there for that.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are immutable: % is refused', TG_OP
        USING ERRCODE = 'restrict_violation', HINT = 'Append an event that says what should be different.';
END
$$;

CREATE TRIGGER events_are_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON events TO viral_app;
GRANT SELECT ON log_head TO viral_app;
GRANT UPDATE (position, recorded_at) ON log_head TO viral_app;
GRANT SELECT, INSERT, DELETE ON book_snapshots TO viral_app;
