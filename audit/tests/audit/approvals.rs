//! The approval trail: journals say who entered a transaction and who agreed to it, when, and by what.

use crate::export::{debits_less_credits, hledger_agrees, journal};
use crate::journey::Journey;
use crate::programs;
use crate::tampered::Tampered;
use viral_audit::AsOf;
use viral_audit::export::Format;

/// The people of each transaction: its code, then the last four columns.
fn people(csv_text: &str) -> Vec<(String, [String; 4])> {
    let mut transactions: Vec<(String, (String, [String; 4]))> = Vec::new();
    for record in csv::Reader::from_reader(csv_text.as_bytes()).records() {
        let record = record.unwrap();
        assert_eq!(record.len(), 18);
        let row = (
            record[9].to_owned(),
            [14, 15, 16, 17].map(|column| record[column].to_owned()),
        );
        match transactions.last() {
            Some((id, last)) if *id == record[10] => assert_eq!(*last, row, "the rows of one transaction agree"),
            _ => transactions.push((record[10].to_owned(), row)),
        }
    }
    transactions.into_iter().map(|(_, row)| row).collect()
}

/// The journal of the story, with names for its people and without the day.
async fn told() -> (Journey, Vec<(String, [String; 4])>) {
    let journey = Journey::told().await;
    let mut text = journal(&journey.store, AsOf::Head, Format::Csv).await;
    for (who, name) in [
        (&journey.admin, "ADMIN"),
        (&journey.sponsor, "SPONSOR"),
        (&journey.first, "FIRST"),
        (&journey.second, "SECOND"),
    ] {
        // Addresses have the ids too: those stay what they are in another column.
        text = text.replace(&who.name, name);
    }
    let text = text.replace("2026-03-01T", "").replace(":00.000000Z", "Z");
    let people = people(&text);
    (journey, people)
}

#[tokio::test]
async fn every_transaction_names_who_agreed() {
    let (_, people) = told().await;
    let rows: Vec<String> = people
        .iter()
        .map(|(code, row)| format!("{code}|{}", row.join("|")))
        .collect();
    let expected = [
        "on_ramp|ADMIN|ADMIN|09:05Z|issued by ADMIN at 09:05Z (fiat entry ch_17; \"first\", paid, 100.00 USD)",
        "fund|SPONSOR|||",
        "reward|SPONSOR|SPONSOR|09:15Z|work approved by SPONSOR at 09:15Z",
        "payout_request|FIRST|||",
        "payout_request|FIRST|||",
        "payout|system:bank|ADMIN|09:19Z|requested by FIRST at 09:16Z; \
         approved as sponsor by SPONSOR at 09:17Z (no second factor); \
         approved as admin by ADMIN at 09:19Z (no second factor)",
        "payout_return|SPONSOR|SPONSOR|09:22Z|requested by FIRST at 09:18Z; rejected by SPONSOR at 09:22Z",
        "payout_request|FIRST|||",
        "payout_return|FIRST|FIRST|09:24Z|requested by FIRST at 09:23Z; cancelled by FIRST at 09:24Z",
        "payout_request|FIRST|||",
        "payout_return|system:bank|system:bank|09:28Z|requested by FIRST at 09:25Z; \
         approved as sponsor by SPONSOR at 09:26Z (no second factor); failed, recorded by system:bank at 09:28Z",
        "refund|SPONSOR|SPONSOR|09:31Z|campaign closed by SPONSOR at 09:31Z",
        "refund|SECOND|SPONSOR|09:31Z|campaign closed by SPONSOR at 09:31Z; last work withdrawn by SECOND at 09:32Z",
        "fund|SPONSOR|||",
        "refund|ADMIN|ADMIN|09:37Z|campaign closed by ADMIN at 09:37Z",
    ];
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn second_factors_are_told() {
    let journey = Journey::told().await;
    let mut log = Tampered::copy(journey.store.as_ref()).await;
    for event in &mut log.events {
        event.payload = event
            .payload
            .replace("\"second_factor\":\"none\"", "\"second_factor\":\"totp\"");
    }
    let text = journal(&log.into_store(), AsOf::Head, Format::Csv).await;
    let payout = people(&text).into_iter().find(|(code, _)| code == "payout").unwrap();
    assert_eq!(
        payout.1[3].matches("(second factor TOTP)").count(),
        2,
        "{}",
        payout.1[3]
    );
}

#[tokio::test]
async fn hledger_reads_the_trail() {
    let journey = Journey::told().await;
    let text = journal(&journey.store, AsOf::Head, Format::Hledger).await;
    for tag in [
        format!(
            "    ; entered_by:{}\n    ; approved_by:{}\n",
            "system:bank", journey.admin.name
        ),
        "fiat entry ch_17; \"first\"%2C paid%2C 100.00 USD)\n".to_owned(),
    ] {
        assert!(text.contains(&tag), "{tag} is not in\n{text}");
    }
    hledger_agrees(&text, &debits_less_credits(&journey.store).await);
    let file = tempfile::Builder::new().suffix(".journal").tempfile().unwrap();
    std::fs::write(file.path(), &text).unwrap();
    let by = format!("tag:approved_by=^{}$", journey.admin.name);
    let Some(found) = programs::run("hledger", &["register", "-O", "csv", &by, "-f"], file.path()) else {
        return;
    };
    // The code of a transaction is its position: an issuance, a payout, and the refund of a campaign that the admin closed.
    let mut codes: Vec<u64> = Vec::new();
    for record in csv::Reader::from_reader(found.as_bytes()).records() {
        codes.push(record.unwrap()[2].parse().unwrap());
    }
    codes.dedup();
    let csv_text = journal(&journey.store, AsOf::Head, Format::Csv).await;
    let approved = csv::Reader::from_reader(csv_text.as_bytes()).into_records();
    let mut expected: Vec<u64> = approved
        .map(Result::unwrap)
        .filter(|record| record[15] == journey.admin.name)
        .map(|record| record[0].parse().unwrap())
        .collect();
    expected.dedup();
    assert_eq!((codes.len(), codes), (3, expected), "{found}");
}

/// Prints what beancount reads of the people of each transaction.
const PEOPLE: &str = "
import sys
from beancount import loader
from beancount.core import data
entries, errors, _ = loader.load_file(sys.argv[1])
assert not errors, errors
for entry in entries:
    if isinstance(entry, data.Transaction):
        meta = entry.meta
        names = ('entered-by', 'approved-by', 'approved-at', 'approvals')
        print(meta['code'], *(meta.get(name, '') for name in names), sep='|')
";

#[tokio::test]
async fn beancount_reads_the_trail() {
    let journey = Journey::told().await;
    let text = journal(&journey.store, AsOf::Head, Format::Beancount).await;
    let file = tempfile::Builder::new().suffix(".beancount").tempfile().unwrap();
    std::fs::write(file.path(), &text).unwrap();
    if programs::run("bean-check", &[], file.path()).is_none() {
        return;
    }
    let Some(python) = programs::python_with_beancount() else {
        return;
    };
    let mut found: Vec<String> = programs::run(python, &["-c", PEOPLE], file.path())
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    let csv_text = journal(&journey.store, AsOf::Head, Format::Csv).await;
    let mut expected: Vec<String> = people(&csv_text)
        .into_iter()
        .map(|(code, row)| format!("{code}|{}", row.join("|")))
        .collect();
    // Beancount has an order of its own within a day.
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}
