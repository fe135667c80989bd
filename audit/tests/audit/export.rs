//! Exports, and what other programs make of them.

use crate::history::{History, address, time, transaction};
use crate::{programs, tampered};
use std::collections::BTreeMap;
use std::sync::Arc;
use viral_audit::export::{self, Format, names};
use viral_audit::{AsOf, AuditError, Silent, trial_balance};
use viral_ledger::trial_balance::Row;
use viral_ledger::{Amount, Asset, Command, NormalSide, identifier};
use viral_store::{EventStore, Position, line};

pub(crate) async fn journal(store: &Arc<dyn EventStore>, as_of: AsOf, format: Format) -> String {
    let mut out = Vec::new();
    export::journal(store, as_of, format, &mut out, &Silent).await.unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn lines_are_those_of_the_store() {
    let log = History::of_everything().await;
    for (after, as_of, expected) in [
        (0, AsOf::Head, 20),
        (5, AsOf::Position(Position(8)), 3),
        (20, AsOf::Head, 0),
    ] {
        let mut out = Vec::new();
        let exported = export::events(&log.store, Position(after), as_of, &mut out, &Silent)
            .await
            .unwrap();
        assert_eq!(exported.entries, expected);
        let text = String::from_utf8(out).unwrap();
        let read: Vec<_> = text.lines().map(|text| line::parse(text).unwrap().event).collect();
        let limit = usize::try_from(expected).unwrap();
        assert_eq!(read, log.store.read_after(Position(after), limit).await.unwrap());
    }
    let mut out = Vec::new();
    let beyond = AsOf::Position(Position(21));
    let error = export::events(&log.store, Position(0), beyond, &mut out, &Silent)
        .await
        .unwrap_err();
    assert!(matches!(error, AuditError::BeyondHead { .. }), "{error}");
    assert!(out.is_empty());
}

#[tokio::test]
async fn an_hledger_entry_says_everything() {
    let log = History::of_everything().await;
    let text = journal(&log.store, AsOf::Position(Position(5)), Format::Hledger).await;
    assert!(
        text.contains("decimal-mark .\n\ncommodity 1000.00 CZK\n\naccount bank:cash\n"),
        "{text}"
    );
    let entry = "2025-12-31 (5) half, *quoted* \"text\" \\ | é\n    \
                 ; id:00000000-0000-0000-0000-000000000069\n    \
                 ; posted:2026-01-02\n    \
                 ; code:transfer\n    \
                 ; user:tester\n    \
                 ; reference_type:invoice\n    \
                 ; reference_id:7%2C 100%25\n    \
                 ; entered_by:tester\n    \
                 customer:1  50.00 CZK\n    \
                 customer:2  -50.00 CZK\n    \
                 customer:1  0.50 CZK\n    \
                 customer:2  -0.50 CZK\n\n";
    assert!(text.ends_with(entry), "{text}");
}

#[tokio::test]
async fn a_beancount_entry_says_everything() {
    let log = History::of_everything().await;
    let text = journal(&log.store, AsOf::Position(Position(5)), Format::Beancount).await;
    assert!(
        text.contains("\n1900-01-01 open Liabilities:Customer:1 CZK\n"),
        "{text}"
    );
    let entry = "2025-12-31 * \"half; *quoted* \\\"text\\\" \\\\ | é\"\n  \
                 id: \"00000000-0000-0000-0000-000000000069\"\n  \
                 position: 5\n  \
                 posted: 2026-01-02\n  \
                 code: \"transfer\"\n  \
                 user: \"tester\"\n  \
                 reference-type: \"invoice\"\n  \
                 reference-id: \"7, 100%\"\n  \
                 entered-by: \"tester\"\n  \
                 Liabilities:Customer:1  50.00 CZK\n  \
                 Liabilities:Customer:2  -50.00 CZK\n  \
                 Liabilities:Customer:1  0.50 CZK\n  \
                 Liabilities:Customer:2  -0.50 CZK\n\n";
    assert!(text.ends_with(entry), "{text}");
}

#[tokio::test]
async fn csv_has_two_rows_for_each_posting() {
    let log = History::of_everything().await;
    let text = journal(&log.store, AsOf::Head, Format::Csv).await;
    let mut lines = text.split("\r\n");
    assert_eq!(
        lines.next(),
        Some(
            "entry_number,posting_date,effective_date,user,account,description,debit,credit,asset,code,\
             transaction_id,reference_type,reference_id,reverses,entered_by,approved_by,approved_at,approvals"
        )
    );
    assert_eq!(
        lines.nth(3),
        Some(
            "5,2026-01-02,2025-12-31,tester,customer:2,\"half; *quoted* \"\"text\"\" \\ | é\",,50.00,CZK,transfer,\
             00000000-0000-0000-0000-000000000069,invoice,\"7, 100%\",,tester,,,"
        )
    );
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut sums: BTreeMap<String, i128> = BTreeMap::new();
    for record in reader.records() {
        let record = record.unwrap();
        let asset = Asset::parse(&record[8]).unwrap();
        let side = |index: usize, sign: i128| match &record[index] {
            "" => 0,
            text => sign * Amount::parse(text, asset).unwrap().minor(),
        };
        *sums.entry(record[4].to_owned()).or_default() += side(6, 1) + side(7, -1);
    }
    sums.retain(|_, minor| *minor != 0);
    assert_eq!(sums, debits_less_credits(&log.store).await);
}

#[tokio::test]
async fn a_journal_ends_where_the_log_does_not_hold() {
    let log = History::of_everything().await;
    let mut gap = tampered::Tampered::copy(log.store.as_ref()).await;
    gap.events.remove(4);
    let error = export::journal(&gap.into_store(), AsOf::Head, Format::Csv, &mut Vec::new(), &Silent)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            AuditError::Broken {
                position: Position(5),
                ..
            }
        ),
        "{error}"
    );
}

fn signed(row: &Row) -> i128 {
    let minor = |text: &str| Amount::parse(text, row.asset).unwrap().minor();
    minor(&row.debits) - minor(&row.credits)
}

/// The balances of all accounts that are not zero, in minor units, debits positive.
pub(crate) async fn debits_less_credits(store: &Arc<dyn EventStore>) -> BTreeMap<String, i128> {
    let balance = trial_balance(store, AsOf::Head, None, &Silent).await.unwrap();
    let signed = balance
        .accounts
        .iter()
        .map(|row| (row.address.to_string(), signed(row)));
    signed.filter(|(_, minor)| *minor != 0).collect()
}

/// A log with the assets of every scale, the largest amounts, and the oddest names.
async fn of_odd_things() -> History {
    let mut log = History::new().await;
    let largest = "100000000000000000000.0000";
    let odd = [
        ("-", "VCOIN", largest),
        ("_-:-c:X-x:Z_-", "VCOIN", largest),
        ("0", "JPY", "900"),
        ("Aa:aA:A-c", "JPY", "1"),
        ("assets:Equity", "KWD", "0.001"),
        ("x", "KWD", "1.000"),
        ("X", "USD", "0.01"),
        ("X-c", "USD", "12345678.90"),
    ];
    for (index, (account, asset, _)) in odd.iter().enumerate() {
        let side = if index % 3 == 0 {
            NormalSide::Debit
        } else {
            NormalSide::Credit
        };
        log.open(account, asset, side, true).await;
    }
    for pair in odd.chunks(2) {
        let [(debit, asset, amount), (credit, _, other)] = pair else {
            panic!("a pair")
        };
        log.post(&[&format!("{amount} {asset} {debit} -> {credit}")]).await;
        log.post(&[&format!("{other} {asset} {credit} -> {debit}")]).await;
    }
    let texts = [
        "(x) * !",
        "; comment",
        "",
        "=2020-01-01",
        "a | b ; c",
        "\"\\",
        "  ",
        "[2020-01-01] date:2020-01-01, %",
    ];
    for (index, text) in texts.into_iter().enumerate() {
        let mut described = transaction(&["0.01 USD X -> X-c"]);
        described.description = Some(text.to_owned());
        let reference = viral_ledger::Reference {
            kind: text.to_owned(),
            id: text.to_owned(),
        };
        // Only spaces are no identifier.
        described.reference = Some(reference).filter(|_| text.is_empty() || identifier::check(text, 64).is_ok());
        described.effective_at = Some(time(["1900-01-01T00:00:00Z", "9999-12-31T00:00:00Z"][index % 2]));
        log.command(Command::Post(described)).await;
    }
    log
}

#[tokio::test]
async fn hledger_accepts_the_journal_and_agrees() {
    for log in [History::of_everything().await, of_odd_things().await] {
        let text = journal(&log.store, AsOf::Head, Format::Hledger).await;
        hledger_agrees(&text, &debits_less_credits(&log.store).await);
    }
}

/// Checks a journal with hledger, and compares its balances to the last digit.
pub(crate) fn hledger_agrees(text: &str, expected: &BTreeMap<String, i128>) {
    let file = tempfile::Builder::new().suffix(".journal").tempfile().unwrap();
    std::fs::write(file.path(), text).unwrap();
    if programs::run("hledger", &["check", "--strict", "-f"], file.path()).is_none() {
        return;
    }
    let flat = ["balance", "--flat", "--no-total", "-O", "csv", "-f"];
    let balances = programs::run("hledger", &flat, file.path()).unwrap();
    let mut found = BTreeMap::new();
    for record in csv::Reader::from_reader(balances.as_bytes()).records() {
        let record = record.unwrap();
        let (amount, asset) = record[1].split_once(' ').unwrap();
        let asset = Asset::parse(asset).unwrap();
        // The text must be to the last digit what we would write.
        let minor = Amount::parse(amount, asset).unwrap();
        assert_eq!(minor.to_text(asset), amount, "{}", &record[0]);
        found.insert(record[0].to_owned(), minor.minor());
    }
    assert_eq!(found, *expected);
}

/// Prints the balance of every account, as beancount's own parser and booking see it.
const BALANCES: &str = "
import sys
from collections import defaultdict
from beancount import loader
from beancount.core import data
entries, errors, _ = loader.load_file(sys.argv[1])
assert not errors, errors
sums = defaultdict(int)
for entry in entries:
    if isinstance(entry, data.Transaction):
        for posting in entry.postings:
            sums[posting.account, posting.units.currency] += posting.units.number
for (account, currency), number in sums.items():
    print(account, number, currency)
";

#[tokio::test]
async fn beancount_accepts_the_journal_and_agrees() {
    for log in [History::of_everything().await, of_odd_things().await] {
        let text = journal(&log.store, AsOf::Head, Format::Beancount).await;
        let file = tempfile::Builder::new().suffix(".beancount").tempfile().unwrap();
        std::fs::write(file.path(), &text).unwrap();
        if programs::run("bean-check", &[], file.path()).is_none() {
            return;
        }
        let Some(python) = programs::python_with_beancount() else {
            return;
        };
        let sums = programs::run(python, &["-c", BALANCES], file.path()).unwrap();
        let mut found = BTreeMap::new();
        for line in sums.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let (account, _) = names::from_beancount(words[0]).unwrap();
            let asset = Asset::parse(words[2]).unwrap();
            let minor = Amount::parse(words[1], asset).unwrap().minor();
            found.insert(account.to_string(), minor);
        }
        found.retain(|_, minor| *minor != 0);
        assert_eq!(found, debits_less_credits(&log.store).await);
    }
}

#[test]
fn a_name_tells_the_account() {
    let name = names::to_beancount(&address("bank:interest_paid"), NormalSide::Debit);
    assert_eq!(
        names::from_beancount(&name),
        Some((address("bank:interest_paid"), NormalSide::Debit))
    );
}
