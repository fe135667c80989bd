//! An auditor's journey: import, verify, replay, sum up, export.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use viral_tests::files::{generated, rows, small_journal, sums};
use viral_tests::hold::{Hold, STOP, stop_at};
use viral_tests::process::{run, tool, viral};
use viral_tests::server::{Database, TestServer};

/// A database and a folder of its own to work in.
pub struct Desk {
    pub database: Database,
    pub folder: tempfile::TempDir,
}

impl Desk {
    pub async fn new() -> Desk {
        Desk::over(TestServer::shared().await.database().await)
    }

    pub fn over(database: Database) -> Desk {
        Desk {
            database,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn command(&self, arguments: &[&str]) -> tokio::process::Command {
        let mut command = viral(&self.folder.path().join("home"), arguments);
        command
            .env("DATABASE_URL", &self.database.superuser_url)
            .current_dir(self.folder.path());
        command
    }

    /// Runs `viral`; answers exit code, standard output, standard error.
    pub async fn viral(&self, arguments: &[&str]) -> (i32, String, String) {
        run(self.command(arguments)).await
    }

    /// Standard output of a run that must end with 0.
    pub async fn ok(&self, arguments: &[&str]) -> String {
        let (code, stdout, stderr) = self.viral(arguments).await;
        assert_eq!(code, 0, "{arguments:?}\n{stdout}\n{stderr}");
        stdout
    }

    pub async fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(arguments).await).unwrap()
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Debits and credits of a trial balance, in hundredths.
fn sums_of(balance: &Value) -> BTreeMap<String, (i128, i128)> {
    let hundredths = |value: &Value| value.as_str().unwrap().replace('.', "").parse::<i128>().unwrap();
    let accounts = balance["accounts"].as_array().unwrap();
    let row = |row: &Value| {
        let (debits, credits) = (hundredths(&row["debits"]), hundredths(&row["credits"]));
        assert_eq!(
            hundredths(&row["balance"]),
            credits - debits,
            "all accounts are credit accounts: {row}"
        );
        (row["address"].as_str().unwrap().to_owned(), (debits, credits))
    };
    accounts.iter().map(row).collect()
}

async fn import_and_audit(file: &Path, tolerance: &str) -> Desk {
    let desk = Desk::new().await;
    let journal = rows(&read(file));
    let import = [
        "import",
        "journal",
        text(file),
        "--overdraft",
        "*",
        "--check-balance",
        "statement_balance",
        "--tolerance",
        tolerance,
        "--json",
    ];
    let first = desk.json(&import).await;
    assert_eq!(first["posted"], journal.len(), "{first}");
    assert_eq!(first["balances"]["checked"], journal.len(), "{first}");
    let again = desk.json(&import).await;
    assert_eq!(
        (&again["posted"], &again["duplicates"]),
        (&0.into(), &journal.len().into()),
        "{again}"
    );

    let verified = desk.json(&["audit", "verify", "--json"]).await;
    assert_eq!(verified["holds"], true, "{verified}");
    let balance = desk.json(&["audit", "trial-balance", "--json"]).await;
    assert_eq!(sums_of(&balance), sums(&journal));

    // In the middle: after the transaction of the row in the middle.
    let lines = desk.ok(&["export", "events"]).await;
    let transactions = lines
        .lines()
        .filter(|line| line.contains(r#""type":"book.transaction_posted","unitid""#));
    let middle = journal.len() / 2;
    let line: Value = serde_json::from_str(transactions.clone().nth(middle - 1).unwrap()).unwrap();
    assert_eq!(transactions.count(), journal.len());
    let replay = desk
        .json(&[
            "audit",
            "replay",
            "--as-of",
            line["position"].as_str().unwrap(),
            "--json",
        ])
        .await;
    let mut expected = sums(&journal[..middle]);
    let replayed = sums_of(&replay);
    // Accounts that a later row would open are not there, those without a row yet have nothing.
    expected.retain(|_, sums| *sums != (0, 0));
    assert_eq!(replayed, expected);
    desk
}

fn read(file: &Path) -> String {
    use std::io::Read as _;
    let bytes = std::fs::read(file).unwrap();
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return String::from_utf8(bytes).unwrap();
    }
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[..])
        .read_to_string(&mut text)
        .unwrap();
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn the_small_journal_goes_in_and_every_report_agrees() {
    let desk = import_and_audit(&small_journal(), "0.80").await;
    check_journals(&desk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_bank_goes_in_and_every_report_agrees() {
    let beside = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap())
        .join("../../shared/data/bank-statements-1993-94.csv.gz");
    let file = std::env::var_os("VIRAL_REAL_DATA").map_or(beside, PathBuf::from);
    if !file.is_file() {
        println!("not run: there is no real journal (VIRAL_REAL_DATA)");
        return;
    }
    let desk = import_and_audit(&file, "0.80").await;
    check_journals(&desk).await;
    let balance = desk.json(&["audit", "trial-balance", "--json"]).await;
    let entries: usize = rows(&read(&file)).len();
    println!(
        "{entries} entries, {} accounts",
        balance["accounts"].as_array().unwrap().len()
    );
}

/// hledger agrees with our trial balance to the last digit; beancount accepts the file.
async fn check_journals(desk: &Desk) {
    let balance = desk.json(&["audit", "trial-balance", "--json"]).await;
    let ours: BTreeMap<String, i128> = sums_of(&balance)
        .into_iter()
        .map(|(account, (debits, credits))| (account, debits - credits))
        .collect();
    desk.ok(&["export", "journal", "--format", "hledger", "-o", "ledger.journal"])
        .await;
    let arguments = [
        "-f",
        "ledger.journal",
        "balance",
        "--flat",
        "--empty",
        "--no-total",
        "-O",
        "csv",
    ];
    match tool("hledger", &arguments, desk.folder.path()).await {
        Some(csv) => {
            let theirs = csv.lines().skip(1).map(|line| {
                let (account, amount) = line.split_once(',').unwrap();
                let amount = amount
                    .trim_matches('"')
                    .strip_suffix(" CZK")
                    .map(|number| number.replace('.', ""));
                // hledger prints nothing but 0 for an empty account.
                let hundredths = amount.map_or(0, |number| number.parse::<i128>().unwrap());
                (account.trim_matches('"').to_owned(), hundredths)
            });
            assert_eq!(theirs.collect::<BTreeMap<_, _>>(), ours);
        }
        None => println!("NOT RUN: hledger is not installed"),
    }
    desk.ok(&["export", "journal", "--format", "beancount", "-o", "ledger.beancount"])
        .await;
    let venv = std::env::var_os("VIRAL_TEST_VENV")
        .map(PathBuf::from)
        .unwrap_or_default();
    match tool(
        text(&venv.join("bin/bean-check")),
        &["ledger.beancount"],
        desk.folder.path(),
    )
    .await
    {
        Some(said) => assert_eq!(said, ""),
        None => println!("NOT RUN: bean-check is not installed (VIRAL_TEST_VENV)"),
    }
    let csv = desk.ok(&["export", "journal", "--format", "csv"]).await;
    assert_eq!(csv.lines().next().unwrap().split(',').next(), Some("entry_number"));
}

/// Starts an import, and kills it while it appends what goes beyond this position.
pub async fn kill_at(desk: &Desk, import: &[&str], position: i64) {
    let url = &desk.database.superuser_url;
    let beyond = format!("NEW.position >= {position}");
    stop_at(url, "OR REPLACE TRIGGER at_position BEFORE UPDATE ON log_head", &beyond).await;
    let mut hold = Hold::of(url, STOP).await;
    let mut child = desk.command(import).stdout(Stdio::null()).spawn().unwrap();
    hold.waits("viral").await;
    child.kill().await.unwrap();
    // So that what it has asked for last does not happen after its death.
    hold.cut("viral").await;
    hold.release().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_killed_goes_on_where_it_was() {
    let desk = Desk::new().await;
    let journal = generated(20_000);
    let file = desk.file("long.csv", &journal);
    let arguments = ["import", "journal", text(&file), "--overdraft", "*", "--json"];
    for kill in 1..=4 {
        kill_at(&desk, &arguments, kill * 4_000).await;
    }
    let report = desk.json(&arguments).await;
    let (posted, duplicates) = (
        report["posted"].as_u64().unwrap(),
        report["duplicates"].as_u64().unwrap(),
    );
    assert_eq!(posted + duplicates, 20_000, "{report}");
    assert!(
        (8_000..16_000).contains(&duplicates),
        "imported before the last kill: {report}"
    );
    let balance = desk.json(&["audit", "trial-balance", "--json"]).await;
    assert_eq!(sums_of(&balance), sums(&rows(&journal)));
    assert_eq!(desk.json(&["audit", "verify", "--json"]).await["holds"], true);
}

/// What describes the published log is about every log: it needs no database, and is what is checked in.
#[tokio::test]
async fn the_asyncapi_document_needs_no_log() {
    let folder = tempfile::tempdir().unwrap();
    let command = viral(&folder.path().join("home"), &["export", "asyncapi"]);
    let (code, stdout, stderr) = run(command).await;
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(stdout, include_str!("../../../kafka/asyncapi.json"));
    assert!(!folder.path().join("home").exists(), "nothing was made");
}
