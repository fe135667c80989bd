//! Imports that compare a printed running balance, on small files and on real ones.

use crate::desk::Desk;
use crate::export::hledger_agrees;
use crate::{programs, statements};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use viral_audit::export::{self, Format};
use viral_audit::import::{Options, Report};
use viral_audit::{AsOf, Silent, replay, trial_balance, verify};
use viral_ledger::{Amount, Asset, NormalSide};

const HEADER: &str = "entry_id,effective_date,debit_account,credit_account,amount,asset,description,printed";

async fn import(desk: &Desk, rows: &[&str]) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("book.csv");
    std::fs::write(&path, format!("{HEADER}\n{}\n", rows.join("\n"))).unwrap();
    desk.import(&path).await
}

async fn desk(tolerance: &str) -> Desk {
    let mut desk = Desk::new().await;
    desk.options.check_balance = Some("printed".to_owned());
    desk.options.tolerance = tolerance.to_owned();
    desk
}

const ROWS: [&str; 4] = [
    "1,1993-01-01,bank:cash,customer:1,900.00,CZK,,900.00",
    "2,1993-01-02,customer:1,bank:fees,0.05,CZK,,900.0",
    "3,1993-01-03,customer:1,bank:cash,1000,CZK,,-100.0",
    "4,1993-01-04,bank:cash,customer:2,1.00,CZK,,1",
];

#[tokio::test]
async fn printed_balances_are_compared_exactly() {
    let desk = desk("0.05").await;
    let report = import(&desk, &ROWS).await;
    assert!(report.holds(), "{report:?}");
    let balances = report.balances.unwrap();
    assert_eq!((balances.checked, balances.mismatches), (4, 0));
    let worst = balances.worst.unwrap();
    assert_eq!(
        (worst.line, worst.account.as_str(), worst.difference.as_str()),
        (3, "customer:1", "0.05")
    );
    assert_eq!((worst.printed.as_str(), worst.exact.as_str()), ("900.0", "899.95"));
}

#[tokio::test]
async fn a_hair_more_than_the_tolerance_is_a_mismatch() {
    let desk = desk("0.0499").await;
    let report = import(&desk, &ROWS).await;
    assert!(!report.holds());
    let balances = report.balances.unwrap();
    let lines: Vec<u64> = balances.first_mismatches.iter().map(|mismatch| mismatch.line).collect();
    assert_eq!((balances.mismatches, lines), (2, vec![3, 4]));
    assert_eq!(
        balances.first_mismatches[0].problem,
        "customer:1 has 899.95 CZK, printed is 900.0: off by 0.05"
    );
    // The rows are in the log all the same.
    assert_eq!(report.posted, 4);
}

#[tokio::test]
async fn what_cannot_be_compared_is_a_mismatch() {
    let desk = desk("1000000").await;
    let report = import(
        &desk,
        &[
            "1,1993-01-01,bank:cash,bank:fees,1.00,CZK,,1",
            "2,1993-01-01,customer:1,customer:2,1.00,CZK,,1",
            "3,1993-01-01,bank:cash,customer:1,1.00,CZK,,",
            "4,1993-01-01,bank:cash,customer:1,1.00,CZK,,\"1,00\"",
            "5,1993-01-01,platform:x,customer:1,1.00,CZK,,2",
        ],
    )
    .await;
    let balances = report.balances.unwrap();
    let problems: Vec<&str> = balances
        .first_mismatches
        .iter()
        .map(|mismatch| mismatch.problem.as_str())
        .collect();
    assert_eq!(
        problems,
        [
            "neither bank:cash nor bank:fees is the account of a balance",
            "both customer:1 and customer:2 could be the account of the balance",
            "the printed balance \"\" is not a decimal number",
            "the printed balance \"1,00\" is not a decimal number",
        ]
    );
    // A row that is refused prints nothing that could be compared.
    assert_eq!((balances.checked, balances.mismatches, report.refused), (4, 4, 1));
}

#[tokio::test]
async fn a_second_run_compares_the_same_numbers() {
    let mut desk = desk("0.05").await;
    // Something else was on the account before, and something else comes after the first run.
    desk.log.open("customer:1", "CZK", NormalSide::Credit, true).await;
    desk.log.open("other", "CZK", NormalSide::Credit, true).await;
    desk.log.post(&["10.00 CZK other -> customer:1"]).await;
    let rows = [
        "1,1993-01-01,bank:cash,customer:1,900.00,CZK,,910.00",
        // The same entry again: it moves the money once.
        "1,1993-01-01,bank:cash,customer:1,900.00,CZK,,910.00",
        "x,1993-01-01,bank:cash,customer:1,bad,CZK,,915.00",
        "2,1993-01-01,bank:cash,customer:1,5.00,CZK,,915.00",
    ];
    let first = import(&desk, &rows).await;
    assert_eq!((first.posted, first.duplicates, first.refused), (2, 1, 1));
    let balances = first.balances.unwrap();
    assert_eq!((balances.checked, balances.mismatches), (2, 0));
    let second = import(&desk, &rows).await;
    assert_eq!((second.duplicates, second.balances), (3, Some(balances)));

    // The bad row is mended: it is posted behind the others, and counts where it stands in the file. So it does later.
    let mended = rows.map(|row| row.replace("bad", "0.01"));
    for posted in [1, 0] {
        let report = import(&desk, &mended.each_ref().map(String::as_str)).await;
        let balances = report.balances.unwrap();
        assert_eq!((report.posted, balances.checked, balances.mismatches), (posted, 3, 1));
        assert_eq!(
            balances.first_mismatches[0].problem,
            "customer:1 has 910.01 CZK, printed is 915.00: off by 4.99"
        );
        assert_eq!(balances.worst.unwrap().line, 4);
    }
}

#[tokio::test]
async fn the_balance_of_a_debit_account_grows_by_debits() {
    let mut desk = desk("0").await;
    desk.options.balance_of = "bank:cash".to_owned();
    desk.options.debit_normal = vec!["bank:*".to_owned()];
    let rows = [
        "1,1993-01-01,bank:cash,customer:1,9.00,CZK,,9",
        "2,1993-01-01,customer:1,bank:cash,10.00,CZK,,-1.00",
    ];
    let report = import(&desk, &rows).await;
    assert!(report.holds(), "{report:?}");
}

/// What the rows of a file add up to, read by nothing of ours: credits less debits of each account in hundredths.
fn sums_of(text: &str) -> BTreeMap<String, i128> {
    let mut sums = BTreeMap::new();
    for record in csv::Reader::from_reader(text.as_bytes()).records() {
        let record = record.unwrap();
        let amount: i128 = record[4].replace('.', "").parse().unwrap();
        *sums.entry(record[2].to_owned()).or_default() -= amount;
        *sums.entry(record[3].to_owned()).or_default() += amount;
    }
    sums
}

/// Imports a file of bank statements twice and compares everything that can be compared.
async fn statements_agree(path: &Path, text: &str, tolerance: &str, wrong: &str) {
    let mut desk = Desk::new().await;
    desk.options = Options {
        check_balance: Some("statement_balance".to_owned()),
        tolerance: tolerance.to_owned(),
        ..desk.options
    };
    let expected = sums_of(text);
    let rows = text.lines().count() as u64 - 1;
    let report = desk.import(path).await;
    assert!(report.holds(), "{report:?}");
    assert_eq!((report.posted, report.accounts_opened), (rows, expected.len() as u64));
    assert_eq!(report.balances.as_ref().unwrap().checked, rows);

    let czk = Asset::parse("CZK").unwrap();
    let balance = trial_balance(&desk.log.store, AsOf::Head, None, &Silent).await.unwrap();
    let minor = |text: &str| Amount::parse(text, czk).unwrap().minor();
    let found: BTreeMap<String, i128> = balance
        .accounts
        .iter()
        .map(|row| (row.address.to_string(), minor(&row.balance)))
        .collect();
    assert_eq!(found, expected);

    let verification = verify(&desk.log.store, &Silent).await.unwrap();
    assert!(verification.holds, "{:?}", verification.first_bad);

    // The middle of the file: as many rows as were in the log then.
    let middle = viral_store::Position(verification.events / 2);
    let opened = replay(&desk.log.store, AsOf::Position(middle), &Silent).await.unwrap();
    let posted = usize::try_from(middle.0).unwrap() - opened.accounts.len();
    let half: Vec<&str> = text.lines().take(posted + 1).collect();
    let half = sums_of(&(half.join("\n") + "\n"));
    for row in &opened.accounts {
        // The last account may be open for a row that comes right after.
        let exact = half.get(row.address.as_str()).copied().unwrap_or_default();
        assert_eq!(minor(&row.balance), exact, "{} in the middle", row.address);
    }

    let mut journal = Vec::new();
    export::journal(&desk.log.store, AsOf::Head, Format::Hledger, &mut journal, &Silent)
        .await
        .unwrap();
    let debits_less_credits = expected
        .iter()
        .filter(|(_, minor)| **minor != 0)
        .map(|(account, minor)| (account.clone(), -minor))
        .collect();
    hledger_agrees(&String::from_utf8(journal).unwrap(), &debits_less_credits);

    desk.options.tolerance = wrong.to_owned();
    let again = desk.import(path).await;
    assert_eq!((again.posted, again.duplicates, again.refused), (0, rows, 0));
    assert!(!again.holds(), "a tolerance of {wrong} is too much");
    assert_eq!(again.balances.unwrap().worst, report.balances.unwrap().worst);
}

#[tokio::test]
async fn generated_statements_agree() {
    let path = statements::path();
    let text = std::fs::read_to_string(&path).unwrap();
    statements_agree(&path, &text, "0.05", "0.04").await;
}

/// The real bank statements, where they are: `VIRAL_REAL_DATA` names the file.
fn real_data() -> Option<PathBuf> {
    let beside = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap())
        .join("../../shared/data/bank-statements-1993-94.csv.gz");
    let named = std::env::var_os("VIRAL_REAL_DATA").map(PathBuf::from);
    named.into_iter().chain([beside]).find(|path| path.is_file())
}

#[tokio::test]
async fn real_statements_agree() {
    let Some(path) = real_data() else {
        programs::say("NOT RUN: the real bank statements are not here; VIRAL_REAL_DATA can name the file");
        return;
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(&path).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text.lines().count(), 23_013);
    statements_agree(&path, &text, "0.80", "0.79").await;
}
