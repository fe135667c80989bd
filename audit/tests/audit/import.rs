//! Imports: what goes in, what is refused and why, and that nothing goes in twice.

use crate::desk::{Desk, HEADER, counts};
use crate::poster::{Fault, Faulty, Outrun};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::sync::Mutex;
use viral_ledger::{BookEvent, NormalSide};
use viral_store::Position;

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
