//! Imports: what goes in, what is refused and why, and that nothing goes in twice.

use crate::history::{History, address};
use crate::poster::{Fault, Faulty, Outrun, WriterPoster};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;
use tempfile::TempDir;
use viral_audit::import::{self, ImportError, Options, Poster, Report};
use viral_audit::{Silent, verify};
use viral_ledger::{BookEvent, Command, NormalSide};
use viral_store::Position;

const HEADER: &str = "entry_id,effective_date,debit_account,credit_account,amount,asset,description";

/// A folder, a log, and the options of an import into it.
pub(crate) struct Desk {
    pub(crate) log: History,
    folder: TempDir,
    pub(crate) options: Options,
}

impl Desk {
    pub(crate) async fn new() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            overdraft: vec!["*".to_owned()],
            rejects: Some(folder.path().join("rejects.csv")),
            patience: Duration::from_millis(250),
            ..Options::default()
        };
        Desk {
            log: History::new().await,
            folder,
            options,
        }
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn poster(&self) -> WriterPoster {
        WriterPoster(self.log.writer.clone())
    }

    async fn import_with(&self, path: &Path, poster: &dyn Poster) -> Result<Report, ImportError> {
        import::journal(path, &self.options, &self.log.store, poster, &Silent).await
    }

    pub(crate) async fn import(&self, path: &Path) -> Report {
        self.import_with(path, &self.poster()).await.unwrap()
    }

    async fn import_text(&self, content: impl AsRef<[u8]>) -> Report {
        self.import(&self.file("book.csv", content)).await
    }

    /// Imports rows below the usual header.
    async fn rows(&self, rows: &[&str]) -> Report {
        self.import_text(format!("{HEADER}\n{}\n", rows.join("\n"))).await
    }

    async fn refused_at_once(&self, content: impl AsRef<[u8]>) -> String {
        let path = self.file("book.csv", content);
        let error = self.import_with(&path, &self.poster()).await.unwrap_err().to_string();
        assert_eq!(self.log.head().await, Position(0), "something was posted");
        error
    }

    fn rejects(&self) -> Option<String> {
        std::fs::read_to_string(self.folder.path().join("rejects.csv")).ok()
    }

    /// The balance of an account on its normal side, in minor units.
    pub(crate) async fn balance(&self, account: &str) -> Option<i128> {
        let account = address(account);
        self.log
            .writer
            .read(move |book, _| book.account(&account).map(|a| a.balance()))
            .await
            .unwrap()
    }

    async fn holds(&self) {
        let verification = verify(&self.log.store, &Silent).await.unwrap();
        assert_eq!(verification.first_bad, None);
    }
}

/// `rows posted duplicates refused`.
fn counts(report: &Report) -> [u64; 4] {
    [report.rows, report.posted, report.duplicates, report.refused]
}

#[tokio::test]
async fn rows_become_transactions() {
    let desk = Desk::new().await;
    let report = desk
        .import_text(
            "note,entry_id,asset,amount,effective_date,credit_account,debit_account,description,empty\n\
             \"a, b\",17,CZK,900.5,1993-01-31,customer:1,bank:cash,VKLAD,\n\
             ,18,CZK,0.50,1993-02-01T12:00:00.5+01:00,customer:1,bank:cash,,\n",
        )
        .await;
    assert!(report.holds(), "{report:?}");
    assert_eq!((counts(&report), report.accounts_opened), ([2, 2, 0, 0], 2));
    assert_eq!(report.source, "book.csv");
    assert_eq!(desk.balance("customer:1").await, Some(90_100));
    let events = desk.log.store.read_after(Position(2), 2).await.unwrap();
    assert_eq!(
        events[0].payload,
        r#"{"code":"journal","description":"VKLAD","effective_at":"1993-01-31T00:00:00.000000Z","metadata":{"entry_id":"17","note":"a, b"},"postings":[{"amount":"900.50","asset":"CZK","credit":"customer:1","debit":"bank:cash"}],"reference":{"id":"book.csv","type":"import"},"type":"book.transaction_posted"}"#
    );
    let second: BookEvent = serde_json::from_str(&events[1].payload).unwrap();
    let BookEvent::TransactionPosted(second) = second else {
        panic!("{second:?}")
    };
    assert_eq!(second.effective_at.to_string(), "1993-02-01 11:00:00.500 UTC");
    assert_eq!((second.description, second.metadata.len()), (None, 1));
    assert!(desk.rejects().is_none());
    desk.holds().await;
}

#[tokio::test]
async fn accounts_open_on_first_use_as_the_patterns_say() {
    let mut desk = Desk::new().await;
    desk.options.overdraft = vec!["bank:*".to_owned()];
    desk.options.debit_normal = vec!["bank:cash".to_owned()];
    desk.log.open("customer:2", "CZK", NormalSide::Debit, true).await;
    let report = desk
        .rows(&[
            "1,1993-01-01,bank:cash,customer:1,5.00,CZK,",
            "2,1993-01-01,customer:1,bank:fees,5.01,CZK,",
            "3,1993-01-01,customer:1,customer:3,6.00,CZK,",
            "4,1993-01-01,bank:x:y,customer:3,6.00,CZK,",
            "5,1993-01-01,customer:2,customer:3,1.00,CZK,",
        ])
        .await;
    assert_eq!((counts(&report), report.accounts_opened), ([5, 3, 0, 2], 4));
    assert_eq!(report.first_refused[0].line, 3);
    assert_eq!(
        report.first_refused[0].reason,
        "customer:1 has 5.00 CZK available, 5.01 needed"
    );
    assert_eq!(report.first_refused[1].line, 4);
    // What a refused row would have opened is not there; a later row opened what it needed itself.
    assert_eq!(desk.balance("bank:fees").await, None);
    assert_eq!(desk.balance("customer:3").await, Some(700));
    assert_eq!(desk.balance("bank:cash").await, Some(500));
    assert_eq!(desk.balance("bank:x:y").await, Some(-600));
    assert_eq!(desk.balance("customer:2").await, Some(100));
    desk.holds().await;
}

#[tokio::test]
async fn bad_rows_are_refused_with_their_line_and_reason() {
    let desk = Desk::new().await;
    let good = "1,1993-01-01,bank:cash,customer:1,5.00,CZK,";
    let bad: [(&[u8], &str); 22] = [
        (
            b"2,1993-01-01,bank:cash,customer:1,5.00,CZK",
            "6 columns, the first line has 7",
        ),
        (
            b"2,1993-01-01,bank:cash,customer:1,5.00,CZK,,",
            "8 columns, the first line has 7",
        ),
        (b",1993-01-01,bank:cash,customer:1,5.00,CZK,", "entry_id: is empty"),
        (
            b"2,1993-02-30,bank:cash,customer:1,5.00,CZK,",
            "effective_date: \"1993-02-30\" is not a date",
        ),
        (
            b"2,01.02.1993,bank:cash,customer:1,5.00,CZK,",
            "is not a date such as 1993-01-31",
        ),
        (
            b"2,1899-12-31,bank:cash,customer:1,5.00,CZK,",
            "is outside 1900-01-01 to 9999-12-31",
        ),
        (
            b"2,1993-01-01,bank cash,customer:1,5.00,CZK,",
            "debit_account: \"bank cash\" is not an account address",
        ),
        (
            b"2,1993-01-01,bank:cash,platform:fees,5.00,CZK,",
            "credit_account: platform:fees is reserved",
        ),
        (
            b"2,1993-01-01,user:1:wallet,customer:1,5.00,CZK,",
            "debit_account: user:1:wallet is reserved",
        ),
        (b"2,1993-01-01,new:1,new:1,5.00,CZK,", "are the same: new:1"),
        (
            b"2,1993-01-01,bank:cash,customer:1,\"5,00\",CZK,",
            "amount: \"5,00\" is not an amount",
        ),
        (
            b"2,1993-01-01,bank:cash,customer:1,5.001,CZK,",
            "too many decimals: CZK has 2",
        ),
        (
            b"2,1993-01-01,bank:cash,customer:1,-5.00,CZK,",
            "amount: -5.00 is not more than zero",
        ),
        (
            b"2,1993-01-01,bank:cash,customer:1,0,CZK,",
            "amount: 0 is not more than zero",
        ),
        (
            b"2,1993-01-01,bank:cash,customer:1,1e3,CZK,",
            "amount: \"1e3\" is not an amount",
        ),
        (
            b"2,1993-01-01,bank:cash,customer:1,99999999999999999999999999,CZK,",
            "beyond",
        ),
        (
            b"2,1993-01-01,bank:cash,customer:1,5.00,Kcs,",
            "asset: unknown asset \"Kcs\"",
        ),
        (
            b"2,1993-01-01,bank:cash,customer:1,5.00,USD,",
            "is an account of CZK, not of USD",
        ),
        (
            b"2,1993-01-01,bank:cash,customer:1,5.00,CZK,Vklad \xe8ek",
            "description: byte 7 is not UTF-8",
        ),
        (
            b"2,1993-01-01,bank:cash,customer:1,5.00,CZK,\"a\nb\"",
            "has control characters",
        ),
        (b"\0\x01\x02,\xff", "2 columns, the first line has 7"),
        (
            b"1,1993-01-01,bank:cash,customer:1,6.00,CZK,",
            "entry_id: 1 of book.csv is in the log already with other content, at position 1",
        ),
    ];
    let mut text = format!("{HEADER}\n{good}\n").into_bytes();
    for (row, _) in &bad {
        text.extend_from_slice(row);
        text.push(b'\n');
    }
    let report = desk.import_text(&text).await;
    assert!(!report.holds());
    assert_eq!(counts(&report), [23, 1, 0, 22]);
    assert_eq!(report.stopped, None);
    let mut line = 3;
    let rejects = std::fs::read(desk.options.rejects.clone().unwrap()).unwrap();
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(rejects.as_slice());
    let header: Vec<&str> = reader.headers().unwrap().iter().take(3).collect();
    assert_eq!(header, ["line", "reason", "entry_id"]);
    for ((row, reason), record) in bad.iter().zip(reader.byte_records()) {
        let record = record.unwrap();
        assert_eq!(std::str::from_utf8(&record[0]).unwrap(), line.to_string());
        let found = String::from_utf8_lossy(&record[1]);
        assert!(found.contains(reason), "line {line}: {found}");
        line += 1 + row.iter().filter(|byte| **byte == b'\n').count();
    }
    // The first twenty are listed, all are counted.
    assert_eq!(report.first_refused.len(), 20);
    assert_eq!(desk.balance("customer:1").await, Some(500));
    desk.holds().await;
}

#[tokio::test]
async fn a_second_run_posts_nothing() {
    let desk = Desk::new().await;
    let rows: Vec<String> = (0..2_000)
        .map(|index| format!("{index},1993-01-01,bank:cash,customer:{},1.00,CZK,", index % 40))
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let first = desk.rows(&rows).await;
    assert!(first.holds());
    assert_eq!((counts(&first), first.accounts_opened), ([2_000, 2_000, 0, 0], 41));
    let head = desk.log.head().await;
    let second = desk.rows(&rows).await;
    assert!(second.holds());
    assert_eq!((counts(&second), second.accounts_opened), ([2_000, 0, 2_000, 0], 0));
    assert_eq!(desk.log.head().await, head);
    // The same rows in columns of another order are the same entries; under another source they are others.
    let moved = "description,entry_id,effective_date,debit_account,credit_account,amount,asset\n\
                 ,7,1993-01-01,bank:cash,customer:7,1.0,CZK\n";
    assert_eq!(counts(&desk.import_text(moved).await), [1, 0, 1, 0]);
    assert_eq!(counts(&desk.import(&desk.file("other.csv", moved)).await), [1, 1, 0, 0]);
}

#[tokio::test]
async fn what_is_no_journal_is_refused_before_anything_is_posted() {
    let desk = Desk::new().await;
    for (content, reason) in [
        (&b""[..], "book.csv: the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (
            b"entry_id,amount\n1,2\n",
            "missing: effective_date, debit_account, credit_account, asset, description",
        ),
        (b"\xff\xfee\0n\0\n\0", "not UTF-8"),
        (b"entry_id,entry_id\n", "names the column \"entry_id\" twice"),
        (
            b"entry_id,effective_date",
            "line 1: the file ends in the middle of this row",
        ),
        (b"\x1f\x8b\x08", "book.csv: the compressed data end too early"),
    ] {
        let error = desk.refused_at_once(content).await;
        assert!(error.contains(reason), "{error}");
    }
    let nonsense: Vec<u8> = (0..4_000_000_u32)
        .map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8 | 0x80)
        .collect();
    assert!(
        desk.refused_at_once(&nonsense)
            .await
            .contains("line 1: a row of more than 1 MiB")
    );
    let missing = desk
        .import_with(Path::new("nowhere/book.csv"), &desk.poster())
        .await
        .unwrap_err();
    assert!(missing.to_string().starts_with("nowhere/book.csv: "), "{missing}");
    let folder = desk.import_with(desk.folder.path(), &desk.poster()).await.unwrap_err();
    assert!(folder.to_string().contains("folder"), "{folder}");
}

#[tokio::test]
async fn options_that_mean_nothing_are_refused() {
    let mut desk = Desk::new().await;
    let rows = format!("{HEADER},printed\n1,1993-01-01,a,b,1.00,CZK,,1.00\n");
    let sound = desk.options.clone();
    for (option, change) in [
        (
            "--overdraft",
            Options {
                overdraft: vec!["a[".to_owned()],
                ..sound.clone()
            },
        ),
        (
            "--debit-normal",
            Options {
                debit_normal: vec!["{".to_owned()],
                ..sound.clone()
            },
        ),
        (
            "--source",
            Options {
                source: Some(String::new()),
                ..sound.clone()
            },
        ),
        (
            "--rejects",
            Options {
                rejects: Some(desk.folder.path().join("book.csv")),
                ..sound.clone()
            },
        ),
        (
            "no column \"saldo\"",
            Options {
                check_balance: Some("saldo".to_owned()),
                ..sound.clone()
            },
        ),
        (
            "--tolerance",
            Options {
                check_balance: Some("printed".to_owned()),
                tolerance: "x".to_owned(),
                ..sound.clone()
            },
        ),
        (
            "--tolerance",
            Options {
                check_balance: Some("printed".to_owned()),
                tolerance: "-1".to_owned(),
                ..sound.clone()
            },
        ),
        (
            "--balance-of",
            Options {
                check_balance: Some("printed".to_owned()),
                balance_of: "[".to_owned(),
                ..sound
            },
        ),
    ] {
        desk.options = change;
        let error = desk.refused_at_once(&rows).await;
        assert!(error.contains(option), "{error}");
    }
}

#[tokio::test]
async fn strict_stops_at_the_first_bad_row() {
    let mut desk = Desk::new().await;
    desk.options.strict = true;
    desk.options.overdraft = vec!["bank:*".to_owned()];
    for (bad, reason) in [
        ("2,1993-01-01,bank:cash,customer:1,x,CZK,", "line 3: amount"),
        // Only the ledger knows this.
        (
            "2,1993-01-01,customer:1,bank:cash,7.00,CZK,",
            "line 3: customer:1 has 5.00 CZK available",
        ),
    ] {
        let report = desk
            .rows(&[
                "1,1993-01-01,bank:cash,customer:1,5.00,CZK,",
                bad,
                "3,1993-01-01,bank:cash,customer:1,5.00,CZK,",
                "x",
            ])
            .await;
        assert_eq!((report.rows, report.refused), (2, 1));
        assert!(report.stopped.as_ref().unwrap().starts_with(reason), "{report:?}");
        assert!(!report.holds());
        assert_eq!(desk.balance("customer:1").await, Some(500));
    }
}

fn gz(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn compressed_files_are_known_by_their_first_bytes() {
    let desk = Desk::new().await;
    let text = format!("\u{feff}{HEADER}\r\n1,1993-01-01,bank:cash,customer:1,5.00,CZK,\r\n");
    let report = desk.import(&desk.file("book.csv", gz(&text))).await;
    assert!(report.holds());
    assert_eq!(report.posted, 1);
    // Several compressed files joined are one; a name says nothing.
    let joined = [gz(&text), gz("2,1993-01-01,bank:cash,customer:1,5.00,CZK,\n")].concat();
    assert_eq!(counts(&desk.import(&desk.file("joined", joined)).await), [2, 2, 0, 0]);
    assert_eq!(
        counts(&desk.import(&desk.file("plain.csv.gz", &text)).await),
        [1, 1, 0, 0]
    );
}

#[tokio::test]
async fn a_file_cut_in_the_middle_is_kept_up_to_there_and_resumed() {
    let desk = Desk::new().await;
    let rows: Vec<String> = (0..3_000)
        .map(|index| format!("{index},1993-01-01,bank:cash,customer:{},{index}.25,CZK,\n", index % 7))
        .collect();
    let text = format!("{HEADER}\n{}", rows.concat()).replace(",0.25,", ",1.25,");
    // Within the amount, right after it, before the line break.
    for lost in [3, 6, 1, 9] {
        let report = desk.import_text(&text.as_bytes()[..text.len() - lost]).await;
        let stopped = report.stopped.clone().unwrap();
        assert!(
            stopped.starts_with("line 3001: the file ends in the middle of this row"),
            "{stopped}"
        );
        assert!(stopped.contains("run the import again to go on"));
        assert_eq!((report.rows, report.refused), (2_999, 0));
        assert!(!report.holds());
    }
    let packed = gz(&text);
    let report = desk.import(&desk.file("book.csv", &packed[..packed.len() / 2])).await;
    assert!(
        report
            .stopped
            .as_ref()
            .unwrap()
            .contains("the compressed data end too early"),
        "{report:?}"
    );
    assert!(report.rows > 500 && report.duplicates == report.rows, "{report:?}");
    let report = desk.import(&desk.file("book.csv", &packed)).await;
    assert!(report.holds());
    assert_eq!(counts(&report), [3_000, 1, 2_999, 0]);
    desk.holds().await;
}

#[tokio::test]
async fn nonsense_behind_a_good_header_needs_little_memory() {
    let desk = Desk::new().await;
    let mut text = format!("{HEADER}\n1,1993-01-01,bank:cash,customer:1,5.00,CZK,\n").into_bytes();
    for index in 0..20_000_u32 {
        text.extend_from_slice(&[b'x', 0xff, (index % 200) as u8 | 0x80, 0, b'\n']);
    }
    text.push(b'"');
    text.resize(text.len() + 3 * 1_024 * 1_024, b'z');
    let report = desk.import_text(&text).await;
    assert_eq!(counts(&report), [20_001, 1, 0, 20_000]);
    assert!(
        report
            .stopped
            .unwrap()
            .starts_with("line 20003: a row of more than 1 MiB")
    );
    // The rejects keep the bytes as they were: they are no text.
    assert!(std::fs::read(desk.options.rejects.clone().unwrap()).unwrap().len() > 5 * 20_000);
}

#[tokio::test]
async fn a_log_that_cannot_be_reached_for_a_while_is_waited_for() {
    for fault in [Fault::NotReached, Fault::AnswerLost] {
        let desk = Desk::new().await;
        let rows: String = (0..1_500).map(|i| format!("{i},1993-01-01,a,b,1.00,CZK,\n")).collect();
        let path = desk.file("book.csv", format!("{HEADER}\n{rows}"));
        let poster = Faulty {
            poster: desk.poster(),
            fault,
            calls: 1..2,
            count: 0.into(),
        };
        let report = desk.import_with(&path, &poster).await.unwrap();
        assert!(report.holds(), "{report:?}");
        assert_eq!(counts(&report), [1_500, 1_500, 0, 0], "{fault:?}");
        assert_eq!(desk.balance("b").await, Some(150_000));

        let poster = Faulty {
            poster: desk.poster(),
            fault,
            calls: 2..1_000,
            count: 0.into(),
        };
        let report = desk.import_with(&path, &poster).await.unwrap();
        assert!(
            report.stopped.as_ref().unwrap().starts_with("the connection was lost"),
            "{report:?}"
        );
        assert_eq!(counts(&report), [1_024, 0, 1_024, 0]);
        desk.holds().await;
    }
    let desk = Desk::new().await;
    let path = desk.file("book.csv", format!("{HEADER}\n1,1993-01-01,a,b,1.00,CZK,\n"));
    let poster = Faulty {
        poster: desk.poster(),
        fault: Fault::Broken,
        calls: 0..1,
        count: 0.into(),
    };
    let report = desk.import_with(&path, &poster).await.unwrap();
    assert!(report.stopped.unwrap().starts_with("the log does not hold"));
}

#[tokio::test]
async fn accounts_that_somebody_else_opens_meanwhile_are_used() {
    let mut desk = Desk::new().await;
    desk.log.open("a", "CZK", NormalSide::Credit, true).await;
    desk.log.open("b", "CZK", NormalSide::Credit, true).await;
    let path = desk.file(
        "book.csv",
        format!("{HEADER}\n1,1993-01-01,a,b,1.00,CZK,\n2,1993-01-01,a,c,1.00,CZK,\n"),
    );
    let poster = Outrun {
        poster: desk.poster(),
        asked: Mutex::new(false),
    };
    let report = desk.import_with(&path, &poster).await.unwrap();
    assert!(report.holds(), "{report:?}");
    assert_eq!((report.posted, report.accounts_opened), (2, 1));
}

#[tokio::test]
async fn closed_periods_and_frozen_accounts_refuse_rows() {
    let mut desk = Desk::new().await;
    for account in ["a", "b", "c"] {
        desk.log.open(account, "CZK", NormalSide::Credit, true).await;
    }
    desk.log
        .command(Command::FreezeAccount {
            account: address("c"),
            reason: None,
        })
        .await;
    desk.log
        .command(Command::ClosePeriod {
            through: "1993-06-30".parse().unwrap(),
        })
        .await;
    let report = desk
        .rows(&[
            "1,1993-06-30,a,b,1.00,CZK,",
            "2,1993-07-01,a,b,1.00,CZK,",
            "3,1993-07-01,a,c,1.00,CZK,",
        ])
        .await;
    assert_eq!(counts(&report), [3, 1, 0, 2]);
    assert!(
        report.first_refused[0]
            .reason
            .contains("the books are closed through 1993-06-30")
    );
    assert!(report.first_refused[1].reason.contains("account c is frozen"));
}
