-- A running digest of the log, so that a log that went back (restored, or failed over to a copy without its end) is
-- noticed: SHA-256 over the digest before, the event's id and its recorded_at in microseconds since 1970. It moves with the
-- head, in the same transaction. That of an old log is null until `viral migrate` has read it.
ALTER TABLE log_head ADD COLUMN digest bytea CHECK (length(digest) = 32);
UPDATE log_head SET digest = decode(repeat('00', 32), 'hex') WHERE position = 0;
GRANT UPDATE (position, recorded_at, digest) ON log_head TO viral_app;

-- Up to which digest a snapshot is, and which event a read model was at.
ALTER TABLE book_snapshots ADD COLUMN digest bytea CHECK (length(digest) = 32);
ALTER TABLE projections
    ADD COLUMN event_id uuid,
    ADD COLUMN recorded_at timestamptz,
    ADD COLUMN digest bytea CHECK (length(digest) = 32);
UPDATE projections
    SET event_id = '00000000-0000-0000-0000-000000000000', recorded_at = 'epoch', digest = decode(repeat('00', 32), 'hex')
    WHERE position = 0;

-- A program from before this would move the position and leave the digest behind.
CREATE FUNCTION refuse_old_program() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'this program is older than the database: it does not say which event % is at', TG_TABLE_NAME
        USING ERRCODE = 'feature_not_supported', HINT = 'Update the program.';
END
$$;

CREATE TRIGGER head_keeps_its_digest BEFORE UPDATE ON log_head FOR EACH ROW
    WHEN (NEW.position <> OLD.position AND NEW.digest IS NOT DISTINCT FROM OLD.digest)
    EXECUTE FUNCTION refuse_old_program();

CREATE TRIGGER checkpoint_keeps_its_event BEFORE UPDATE ON projections FOR EACH ROW
    WHEN (NEW.position <> OLD.position AND NEW.event_id IS NOT DISTINCT FROM OLD.event_id)
    EXECUTE FUNCTION refuse_old_program();
