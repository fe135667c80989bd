//! A small file of the same shape as real bank statements, made from a fixed seed and kept in `tests/data`.

use std::fmt::Write as _;
use std::path::PathBuf;

const ROWS: usize = 500;
const CUSTOMERS: usize = 20;

/// Numbers that look random and are the same everywhere (Knuth's MMIX generator).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn hundredths(amount: i64) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", amount.abs() / 100, amount.abs() % 100)
}

/// The file. Customers are credited and debited against the bank's own accounts; the printed balance is the customer's,
/// rounded to a tenth; some are overdrawn.
fn generated() -> String {
    let mut numbers = Numbers(1993);
    let customers: Vec<u64> = (0..CUSTOMERS as u64)
        .map(|index| 100 + 37 * index + numbers.below(37))
        .collect();
    let mut balances = [0_i64; CUSTOMERS];
    let mut text =
        "entry_id,effective_date,debit_account,credit_account,amount,asset,description,statement_balance\n".to_owned();
    let first = chrono::NaiveDate::from_ymd_opt(1993, 1, 1).unwrap();
    for row in 0..ROWS {
        let index = usize::try_from(numbers.below(CUSTOMERS as u64)).unwrap();
        let amount = i64::try_from(1_000 + 10 * numbers.below(20_000)).unwrap();
        let small = i64::try_from(10 + 10 * numbers.below(500)).unwrap() + 3;
        let bank = ["AB", "CD", "EF"][row % 3];
        let (account, into, amount, description) = match numbers.below(10) {
            0..4 => ("bank:cash".to_owned(), true, amount, "VKLAD"),
            4..6 => ("bank:cash".to_owned(), false, amount, "VYBER"),
            6 => (format!("clearing:{bank}"), false, amount, "PREVOD NA UCET SIPO"),
            7 => (format!("clearing:{bank}"), true, amount, "PREVOD Z UCTU, DUCHOD"),
            8 => ("bank:interest_paid".to_owned(), true, small, "interest UROK"),
            _ => ("bank:fees".to_owned(), false, 1_460, "VYBER SLUZBY"),
        };
        let customer = format!("customer:{}", customers[index]);
        let (debit, credit) = if into {
            (&account, &customer)
        } else {
            (&customer, &account)
        };
        balances[index] += if into { amount } else { -amount };
        let printed = hundredths((balances[index] + 5).div_euclid(10) * 10);
        let date = first + chrono::Days::new(row as u64 / 2);
        let id = 1_000_000 + (row as u64 * 7_919) % 500_009;
        let description = if description.contains(',') {
            format!("\"{description}\"")
        } else {
            description.to_owned()
        };
        let amount = hundredths(amount);
        writeln!(
            text,
            "{id},{date},{debit},{credit},{amount},CZK,{description},{printed}"
        )
        .unwrap();
    }
    text
}

/// Where the file is kept.
pub(crate) fn path() -> PathBuf {
    PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/data/bank-statements.csv")
}

#[test]
fn the_file_is_what_the_generator_makes() {
    if std::env::var_os("VIRAL_WRITE_TEST_DATA").is_some() {
        std::fs::write(path(), generated()).unwrap();
    }
    let kept = std::fs::read_to_string(path()).unwrap();
    assert!(
        kept == generated(),
        "run this test with VIRAL_WRITE_TEST_DATA=1 to write the file again"
    );
}
