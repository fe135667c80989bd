//! Journals for imports, and their sums computed here, apart from the product.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The small generated journal that the repository carries.
pub fn small_journal() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap())
        .join("../audit/tests/data/bank-statements.csv")
        .canonicalize()
        .unwrap()
}

/// A row of a journal, with the amount in hundredths.
#[derive(Debug, Clone)]
pub struct Row {
    /// The account that is debited.
    pub debit: String,
    /// The account that is credited.
    pub credit: String,
    /// How much, in hundredths.
    pub hundredths: i128,
}

/// The rows of a journal without quotes, all of an asset with two decimals.
pub fn rows(text: &str) -> Vec<Row> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|column| *column == name).unwrap();
    let (debit, credit, amount) = (column("debit_account"), column("credit_account"), column("amount"));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            let (whole, fraction) = fields[amount].split_once('.').unwrap();
            assert_eq!(fraction.len(), 2, "{line}");
            Row {
                debit: fields[debit].to_owned(),
                credit: fields[credit].to_owned(),
                hundredths: format!("{whole}{fraction}").parse().unwrap(),
            }
        })
        .collect()
}

/// Debits and credits of each account, in hundredths.
pub fn sums(rows: &[Row]) -> BTreeMap<String, (i128, i128)> {
    let mut sums: BTreeMap<String, (i128, i128)> = BTreeMap::new();
    for row in rows {
        sums.entry(row.debit.clone()).or_default().0 += row.hundredths;
        sums.entry(row.credit.clone()).or_default().1 += row.hundredths;
    }
    sums
}

/// A journal of deposits and withdrawals.
pub fn generated(rows: u32) -> String {
    let mut text = "entry_id,effective_date,debit_account,credit_account,amount,asset,description\n".to_owned();
    for row in 0..rows {
        let (month, day, customer) = (row % 12 + 1, row % 28 + 1, row % 97);
        writeln!(
            text,
            "e{row},2025-{month:02}-{day:02},bank:cash,customer:{customer},{row}.25,CZK,deposit"
        )
        .unwrap();
    }
    text
}
