use super::*;

const TEXT: &str = "\
alice|VCOIN|0.0000|100.0000|15.0000|credit,frozen
bank|USD|12.50|12.50|0.00|debit,closed
mint|VCOIN|100.0000|0.0000|0.0000|credit,may_go_negative
00000000-0000-0000-0000-000000000001|alice|10.0000|
00000000-0000-0000-0000-000000000002|alice|5.0000|2026-02-01T13:00:00.000001Z
closed_through|2026-01-31
";

fn problem(text: &str) -> InvalidStateText {
    Book::from_state_text(text, 9).expect_err(text)
}

#[test]
fn a_state_is_read_back() {
    let book = Book::from_state_text(TEXT, 9).unwrap();
    assert_eq!(book.state_text(), TEXT);
    assert_eq!(book.state_hash(), Book::hash_of_text(TEXT));
    assert_eq!((book.sequence(), book.account_count(), book.holds().len()), (9, 3, 2));
    let empty = Book::new().state_text();
    assert_eq!(empty, "closed_through|\n");
    assert_eq!(Book::from_state_text(&empty, 0).unwrap(), Book::new());
}

#[test]
fn the_hash_is_what_sha256sum_says() {
    assert_eq!(
        Book::new().state_hash(),
        "63f53aaa2c9e35d5242497bdf2f85ce6c6a36220f95913085fc0441a40a745dd"
    );
}

#[test]
fn only_the_canonical_text_is_read() {
    for (from, to) in [
        ("0.0000|100.0000", "0|100.0000"),
        ("|12.50|12.50|", "|012.50|12.50|"),
        ("0.00|debit", "-0.00|debit"),
        ("debit,closed", "debit,closed,closed"),
        ("0-000000000001|", "0-00000000000A|"),
        ("13:00:00.000001Z", "13:00:00.000001+00:00"),
        ("13:00:00.000001Z", "13:00:00.0000010Z"),
        ("2026-01-31", "2026-1-31"),
        ("\n", "\r\n"),
        ("closed_through|2026-01-31\n", "closed_through|2026-01-31"),
        ("closed_through|2026-01-31\n", ""),
        ("closed_through", "closed_through|\nclosed_through"),
        ("alice|VCOIN", "zoe|VCOIN"),
    ] {
        let spoilt = TEXT.replacen(from, to, 1);
        assert_ne!(spoilt, TEXT, "{from}");
        problem(&spoilt);
    }
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    for (from, to, line, said) in [
        ("alice|VCOIN", "al ice|VCOIN", 1, "not an account address"),
        ("bank|USD", "bank|usd", 2, "unknown asset"),
        ("12.50|12.50", "12.500|12.50", 2, "too many decimals"),
        ("debit,closed", "closed", 2, "does not start with a normal side"),
        ("may_go_negative", "may_go_up", 3, "unknown flag"),
        ("100.0000|0.0000|0", "-100.0000|0.0000|0", 3, "less than zero"),
        ("000000000001|alice", "000000000001|bob", 4, "unknown account"),
        ("alice|10.0000", "alice|0.0000", 4, "a hold of nothing"),
        ("2026-02-01T13", "2026-02-31T13", 5, "is not a time"),
        ("2026-01-31", "2026-01-32", 6, "is not a date"),
        ("closed_through|2026", "closed|2026", 6, "neither"),
        ("alice|10.0000", "alice|10.0001", 6, "not the sum of its open holds"),
        ("12.50|12.50", "12.50|12.51", 6, "debits and credits"),
    ] {
        let error = problem(&TEXT.replacen(from, to, 1));
        assert_eq!(error.line, line, "{error}");
        assert!(error.problem.contains(said), "{error}");
    }
}
