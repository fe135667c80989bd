-- What the projector knows about its read models. The tables of the read models themselves belong to the role
-- viral_projector, which makes, fills and replaces them: they can be thrown away and built again from the log.

-- One row for the live version of each read model, and one more while a new version is being built beside it. `position`
-- is the last event that the tables contain; it moves in the transaction that changes them.
CREATE TABLE projections (
    name text NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    schema_version integer NOT NULL,
    state text NOT NULL CHECK (state IN ('live', 'building')),
    position bigint NOT NULL CHECK (position >= 0),
    problem text,
    halted_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, version),
    CHECK ((problem IS NULL) = (halted_at IS NULL))
) WITH (fillfactor = 10);

CREATE UNIQUE INDEX projections_one_of_each_state ON projections (name, state);

-- Events that a read model could not take in, and everything that happened later to the same aggregates. The first of
-- an aggregate says what is wrong.
CREATE TABLE parked_events (
    projection text NOT NULL,
    version integer NOT NULL,
    position bigint NOT NULL,
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL,
    event_type text NOT NULL,
    problem text,
    parked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (projection, version, position)
);

CREATE INDEX parked_events_of_aggregate ON parked_events (projection, version, aggregate_type, aggregate_id);

GRANT SELECT ON projections, parked_events TO viral_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON projections, parked_events TO viral_projector;
GRANT SELECT ON events, log_head TO viral_projector;
