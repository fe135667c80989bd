//! Imports of what should not go in: each is refused with a reason that says where and what to do.

use crate::desk::{Desk, HEADER, counts};
use crate::history::address;
use std::path::Path;
use viral_audit::import::{Entry, NewAccount, Options, PostResult, Poster as _};
use viral_ledger::{Amount, Asset, Code, Command, NewTransaction, NormalSide, Posting, Reference};
use viral_store::canonical;

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

fn row_of(entry_id: &str) -> String {
    format!("{entry_id},1993-01-01,bank:cash,customer:1,5.00,CZK,")
}

#[tokio::test]
async fn one_entry_has_one_spelling() {
    let desk = Desk::new().await;
    let rows = [
        ("x1", ""),
        ("x1 ", "entry_id: has U+0020 as character 3, a space at the end"),
        (" x1", "entry_id: has U+0020 as character 1, a space at the beginning"),
        (
            "x\u{a0}1",
            "entry_id: has U+00A0 as character 2, another space than U+0020",
        ),
        (
            "x1\u{200b}",
            "entry_id: has U+200B as character 3, which cannot be seen",
        ),
        ("x\u{ad}1", "entry_id: has U+00AD as character 2, which cannot be seen"),
        ("cafe\u{301}", "entry_id: is not in Unicode's form NFC"),
    ];
    let texts = rows.map(|(id, _)| row_of(id));
    let report = desk.rows(&texts.each_ref().map(String::as_str)).await;
    assert_eq!(counts(&report), [7, 1, 0, 6]);
    let rejects = desk.rejects().unwrap();
    for (id, reason) in rows {
        assert!(rejects.contains(reason), "{id:?}: {rejects}");
    }
    let file = desk.file("Ma\u{308}rz.csv", format!("{HEADER}\n{}\n", row_of("x2")));
    assert_eq!(counts(&desk.import(&file).await), [1, 0, 0, 1]);
    let rejects = desk.rejects().unwrap();
    assert!(
        rejects.contains("the file's name): is not in Unicode's form NFC"),
        "{rejects}"
    );
}

/// Mended, it would be another entry, and its money would move twice.
#[tokio::test]
async fn an_entry_that_an_old_log_has_in_another_spelling_is_known() {
    let desk = Desk::new().await;
    let open = |address: &str, normal_side| NewAccount {
        address: crate::history::address(address),
        asset: Asset::parse("CZK").unwrap(),
        normal_side,
        may_go_negative: true,
    };
    let transaction = NewTransaction {
        code: Code::JOURNAL,
        description: None,
        effective_at: Some("1993-01-01T00:00:00Z".parse().unwrap()),
        metadata: [("entry_id".to_owned(), "x1 ".to_owned())].into(),
        postings: vec![Posting {
            debit: address("bank:cash"),
            credit: address("customer:1"),
            amount: Amount::parse("5.00", Asset::parse("CZK").unwrap()).unwrap(),
            asset: Asset::parse("CZK").unwrap(),
        }],
        reference: Some(Reference {
            kind: "import".to_owned(),
            id: "book.csv".to_owned(),
        }),
    };
    let old = Entry {
        source: "book.csv".to_owned(),
        entry_id: "x1 ".to_owned(),
        content: canonical::to_text(&transaction).unwrap(),
        open: vec![
            open("bank:cash", NormalSide::Debit),
            open("customer:1", NormalSide::Credit),
        ],
        transaction,
    };
    assert!(matches!(
        desk.poster().post(vec![old]).await[..],
        [PostResult::Posted(_)]
    ));
    let report = desk.rows(&[&row_of("x1 "), &row_of("x2 ")]).await;
    assert_eq!(counts(&report), [2, 0, 1, 1]);
    assert_eq!(desk.balance("customer:1").await, Some(500));
}
