-- What the database is used for, with --dev or without, since it was first used by a process that decides. A developer's
-- machine is let into with tokens that anybody can make, so neither may go on with what the other began.
CREATE TABLE environment (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    name text NOT NULL CHECK (name IN ('development', 'production'))
);

GRANT SELECT, INSERT ON environment TO viral_app;
