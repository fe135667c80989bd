//! Copies of a log, made of its lines: the auditor's questions have the same answers.

use crate::history::{History, posting, transaction};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;
use viral_audit::export::{self, Format};
use viral_audit::lines::spool;
use viral_audit::{AsOf, Silent, replay, trial_balance, verify, verify_up_to};
use viral_commands::Part;
use viral_ledger::ids::reversal_of;
use viral_ledger::{Command, NormalSide};
use viral_store::{EventStore, Position, SpoolWriter, SpooledLog, StoreError};

/// The lines of a log, each with its line break.
pub(crate) async fn lines(log: &Arc<dyn EventStore>) -> Vec<String> {
    let mut out = Vec::new();
    export::events(log, Position::START, AsOf::Head, &mut out, &Silent)
        .await
        .unwrap();
    let text = String::from_utf8(out).unwrap();
    text.split_inclusive('\n').map(str::to_owned).collect()
}

/// A log of the first lines.
pub(crate) fn copy_of(lines: &[String]) -> SpooledLog {
    let mut writer = SpoolWriter::new(None).unwrap();
    for line in lines {
        writer.push(line.trim_end()).unwrap();
    }
    writer.finish().unwrap()
}

#[tokio::test]
async fn a_copy_answers_as_the_log_does() {
    let store = History::of_everything().await.store;
    let copy: Arc<dyn EventStore> = Arc::new(copy_of(&lines(&store).await));
    assert_eq!(lines(&copy).await, lines(&store).await);
    let time = AsOf::Recorded("2026-01-02T12:00:00Z".parse().unwrap());
    for as_of in [AsOf::Head, AsOf::Position(Position(11)), time] {
        let (ours, theirs) = (replay(&store, as_of, &Silent), replay(&copy, as_of, &Silent));
        assert_eq!(ours.await.unwrap(), theirs.await.unwrap());
        let cutoff = Some("2026-01-01".parse().unwrap());
        let (ours, theirs) = (
            trial_balance(&store, as_of, cutoff, &Silent),
            trial_balance(&copy, as_of, cutoff, &Silent),
        );
        assert_eq!(ours.await.unwrap(), theirs.await.unwrap());
    }
    for format in [Format::Hledger, Format::Beancount, Format::Csv] {
        let (ours, theirs) = (
            crate::export::journal(&store, AsOf::Head, format),
            crate::export::journal(&copy, AsOf::Head, format),
        );
        assert_eq!(ours.await, theirs.await);
    }
    let (ours, theirs) = (
        verify(&store, &Silent).await.unwrap(),
        verify(&copy, &Silent).await.unwrap(),
    );
    assert!(theirs.holds && theirs.events == 20, "{theirs:?}");
    assert_eq!(ours.state_hash, theirs.state_hash);
    let error = replay(&copy, AsOf::Position(Position(21)), &Silent).await.unwrap_err();
    assert!(error.to_string().contains("beyond the end"), "{error}");
    assert!(matches!(copy.lock().await, Err(StoreError::Denied(_))));
}

async fn of_file(folder: &Path, content: &[u8]) -> SpooledLog {
    let path = folder.join("lines.jsonl");
    std::fs::write(&path, content).unwrap();
    spool(&path, &Silent).await.unwrap()
}

/// A change of the lines, the first bad position, and a word of what is said.
type Deed = (&'static str, fn(&mut Vec<Vec<u8>>), u64, &'static str);

const DEEDS: [Deed; 13] = [
    (
        "a space",
        |lines| lines[6].insert(1, b' '),
        7,
        "line 7: the line is not in canonical form",
    ),
    ("an amount", |lines| replace(lines, 3, "900.00", "901.00"), 16, "hash"),
    (
        "a line is gone",
        |lines| drop(lines.remove(5)),
        6,
        "line 6: it has position 7, but 6 must come here",
    ),
    (
        "the first is gone",
        |lines| drop(lines.remove(0)),
        1,
        "line 1: it has position 2",
    ),
    (
        "a line twice",
        |lines| lines.insert(9, lines[8].clone()),
        10,
        "that position was there already",
    ),
    (
        "another log",
        |lines| replace(lines, 11, "-000000000001\"", "-000000000002\""),
        12,
        "line 12: it is of the log",
    ),
    (
        "no line",
        |lines| lines[19] = b"position,amount\n".to_vec(),
        20,
        "line 20: not an event line",
    ),
    (
        "an empty line",
        |lines| lines.insert(4, b"\n".to_vec()),
        5,
        "line 5: not an event line",
    ),
    (
        "no text",
        |lines| lines[2][10] = 0xff,
        3,
        "line 3: byte 11 is not UTF-8",
    ),
    (
        "too long",
        |lines| lines[1] = vec![b'x'; 100_000],
        2,
        "line 2: it has more than 65535 bytes",
    ),
    (
        "no last line break",
        |lines| replace(lines, 19, "\n", ""),
        20,
        "line 20: it does not end with a line break",
    ),
    ("cut", |lines| lines[19].truncate(100), 20, "the file was cut off"),
    // What stands before the line that cannot be read is still found first.
    (
        "two faults",
        |lines| {
            lines[19].truncate(9);
            replace(lines, 3, "900.00", "901.00")
        },
        16,
        "hash",
    ),
];

fn replace(lines: &mut [Vec<u8>], index: usize, from: &str, to: &str) {
    let text = String::from_utf8(lines[index].clone()).unwrap();
    assert!(text.contains(from), "{text}");
    lines[index] = text.replace(from, to).into_bytes();
}

#[tokio::test]
async fn verify_names_the_first_bad_line() {
    let folder = tempfile::tempdir().unwrap();
    let good = lines(&History::of_everything().await.store).await;
    for (deed, change, position, word) in DEEDS {
        let mut bytes: Vec<Vec<u8>> = good.iter().map(|line| line.clone().into_bytes()).collect();
        change(&mut bytes);
        let log: Arc<dyn EventStore> = Arc::new(of_file(folder.path(), &bytes.concat()).await);
        let verification = verify(&log, &Silent).await.unwrap();
        assert!(!verification.holds && !verification.ends_in_incomplete_unit, "{deed}");
        let finding = verification.first_bad.unwrap();
        assert_eq!(finding.position, Position(position), "{deed}: {}", finding.problem);
        assert!(finding.problem.contains(word), "{deed}: {}", finding.problem);
        let error = replay(&log, AsOf::Head, &Silent).await.err();
        let error = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(&format!("position {position}")), "{deed}: {error}");
        // What stands before it is what it was.
        let before = AsOf::Position(Position(position - 1));
        let tampered = word == "hash";
        assert!(
            tampered || verify_up_to(&log, before, &Silent).await.unwrap().holds,
            "{deed}"
        );
    }
}

#[tokio::test]
async fn a_file_may_be_compressed_and_must_not_be_empty() {
    let folder = tempfile::tempdir().unwrap();
    let text = lines(&History::of_everything().await.store).await.concat();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(text.as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    let log: Arc<dyn EventStore> = Arc::new(of_file(folder.path(), &packed).await);
    assert!(verify(&log, &Silent).await.unwrap().holds);
    assert_eq!(lines(&log).await.concat(), text);

    let log = of_file(folder.path(), &packed[..packed.len() / 2]).await;
    assert!(log.is_cut());
    let log: Arc<dyn EventStore> = Arc::new(log);
    let finding = verify(&log, &Silent).await.unwrap().first_bad.unwrap();
    assert!(
        finding.problem.contains("compressed data end too early"),
        "{}",
        finding.problem
    );

    let path = folder.path().join("lines.jsonl");
    std::fs::write(&path, "").unwrap();
    let empty = spool(&path, &Silent).await.unwrap_err().to_string();
    assert!(empty.contains("lines.jsonl is empty"), "{empty}");
    let missing = spool(Path::new("/nowhere/lines.jsonl"), &Silent).await.unwrap_err();
    assert!(missing.to_string().contains("/nowhere/lines.jsonl"), "{missing}");
    let none = spool(folder.path(), &Silent).await.unwrap_err().to_string();
    assert!(none.contains("folder"), "{none}");
}

/// Verify looks up what each reversal reverses: that must not mean to read the copy each time.
#[tokio::test(flavor = "multi_thread")]
async fn many_reversals_take_no_longer_than_other_events() {
    const COUNT: u128 = 10_000;
    let mut log = History::new().await;
    log.open("a", "CZK", NormalSide::Credit, true).await;
    log.open("b", "CZK", NormalSide::Credit, true).await;
    let post = || Command::Post(transaction(&["1.00 CZK a -> b"]));
    let id = |number: u128| Uuid::from_u128(1_000_000 + number);
    for start in (0..COUNT).step_by(200) {
        // The first event of a unit has the unit's id without asking.
        let part = |number| Part::Ledger {
            id: (number != start).then_some(id(number)),
            command: post(),
        };
        log.append_as(id(start), (start..start + 200).map(part).collect()).await;
    }
    for number in 0..COUNT {
        let command = Command::Reverse {
            original: id(number),
            postings: vec![posting("1.00 CZK a -> b")],
            is_reversal: false,
            reason: None,
        };
        log.append_as(reversal_of(id(number)), vec![Part::Ledger { id: None, command }])
            .await;
    }
    let started = std::time::Instant::now();
    let copy: Arc<dyn EventStore> = Arc::new(copy_of(&lines(&log.store).await));
    let copied = started.elapsed();
    let verification = verify(&copy, &Silent).await.unwrap();
    assert!(verification.holds, "{verification:?}");
    let of_store = verify(&log.store, &Silent).await.unwrap();
    println!(
        "{} events: copied in {copied:?}, verified in {:.2} s, the store in {:.2} s",
        verification.events, verification.seconds, of_store.seconds
    );
    assert_eq!(of_store.state_hash, verification.state_hash);
}
