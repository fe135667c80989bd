-- A plain double-entry ledger in SQL, to measure the writer against: one function that locks both accounts (in the
-- order of their ids, so that transfers never deadlock), writes one transaction row and two entries, and updates two
-- balances. This is what one would write without an event log.
CREATE TABLE accounts (
    id bigint PRIMARY KEY,
    balance numeric(38, 4) NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 0
);

CREATE TABLE transactions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE entries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id bigint NOT NULL REFERENCES transactions (id),
    account_id bigint NOT NULL REFERENCES accounts (id),
    amount numeric(38, 4) NOT NULL
);

CREATE INDEX entries_account ON entries (account_id, id);

CREATE FUNCTION transfer(debit bigint, credit bigint, amount numeric) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    transaction_id bigint;
BEGIN
    PERFORM 1 FROM accounts WHERE id IN (debit, credit) ORDER BY id FOR NO KEY UPDATE;
    INSERT INTO transactions (code) VALUES ('transfer') RETURNING id INTO transaction_id;
    INSERT INTO entries (transaction_id, account_id, amount)
        VALUES (transaction_id, debit, -amount), (transaction_id, credit, amount);
    UPDATE accounts SET balance = balance - amount, version = version + 1 WHERE id = debit;
    UPDATE accounts SET balance = balance + amount, version = version + 1 WHERE id = credit;
    RETURN transaction_id;
END
$$;

INSERT INTO accounts (id) SELECT generate_series(0, 10000);
