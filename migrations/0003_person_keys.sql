-- One key per person, wrapped by the master key. It is no part of the log: destroying it (wrapped becomes null) makes
-- everything that was sealed under it unreadable, in every copy of the log.
CREATE TABLE person_keys (
    person uuid PRIMARY KEY,
    key uuid NOT NULL UNIQUE,
    wrapped bytea,
    created_at timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT, INSERT ON person_keys TO viral_app;
