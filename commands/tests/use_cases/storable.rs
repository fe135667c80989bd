//! What the store refuses for one unit's content is that unit's error alone, whoever shared its batch.

use crate::spy::Spy;
use std::sync::Arc;
use uuid::Uuid;
use viral_commands::{AppendError, NewEvent, Outcome, Part, Rejection, Settings, Unit, Writer};
use viral_ledger::{Address, Amount, Asset, Code, Command, NewTransaction, NormalSide, Posting};
use viral_store::{EventStore as _, MemoryStore, Position, StreamId};

const UNWANTED: &str = "unwanted";

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn open(account: &str) -> Unit {
    let command = Command::OpenAccount {
        account: address(account),
        asset: Asset::VCOIN,
        normal_side: NormalSide::Credit,
        may_go_negative: account == "from",
    };
    Unit::ledger(Uuid::now_v7(), command)
}

/// Moves 1 V-Coin with this description.
fn transfer(description: &str) -> Unit {
    let command = Command::Post(NewTransaction {
        code: Code::TRANSFER,
        description: Some(description.to_owned()),
        effective_at: None,
        metadata: Default::default(),
        postings: vec![Posting {
            debit: address("from"),
            credit: address("to"),
            amount: Amount::parse("1", Asset::VCOIN).unwrap(),
            asset: Asset::VCOIN,
        }],
        reference: None,
    });
    Unit::ledger(Uuid::now_v7(), command)
}

fn note(text: &str) -> Unit {
    let payload = serde_json::json!({"text": text, "type": "test.noted"});
    let events = vec![NewEvent::new("test.noted", "1", &payload).unwrap()];
    let stream = StreamId::new("test", Uuid::now_v7().to_string());
    Unit::new(
        Uuid::now_v7(),
        vec![Part::Events {
            stream,
            expected: 0,
            events,
        }],
    )
}

async fn writer() -> (Arc<Spy>, Writer) {
    let spy = Spy::on(&MemoryStore::new(Uuid::now_v7()));
    let (writer, _) = Writer::start(spy.clone(), Settings::default()).await.unwrap();
    for account in ["from", "to"] {
        writer.append(open(account)).await.unwrap();
    }
    spy.refuse(UNWANTED);
    (spy, writer)
}

fn is_refused(answer: &Result<Outcome, AppendError>) -> bool {
    matches!(answer, Err(error @ AppendError::Rejected(Rejection::NotStorable(_))) if !error.is_retryable())
}

/// One caller's units, in one batch: 240 good ones, two that the store refuses, and one that was sent twice.
#[tokio::test]
async fn two_bad_units_fail_alone_in_a_batch() {
    let (spy, writer) = writer().await;
    let bad = [60, 181];
    let mut units: Vec<Unit> = (0..242)
        .map(|n| match (bad.contains(&n), n % 2) {
            (true, _) => transfer(UNWANTED),
            (false, 0) => transfer(&n.to_string()),
            (false, _) => note(&n.to_string()),
        })
        .collect();
    units.push(units[7].clone());
    let before = writer.appended();
    let answers = writer.append_all(units.clone()).await;
    for (n, (unit, answer)) in units.iter().zip(&answers).enumerate() {
        match answer {
            refused if bad.contains(&n) => assert!(is_refused(refused), "{n}: {refused:?}"),
            Ok(Outcome::Duplicate(events)) if n == 242 => assert_eq!(events[0].event_id, units[7].id),
            Ok(Outcome::Appended(events)) if n < 242 => assert_eq!(events[0].event_id, unit.id, "{n}"),
            other => panic!("{n}: {other:?}"),
        }
    }
    // In the order of the call, without a gap; the book has moved by what was appended.
    let stored = spy.read_after(Position(2), 1_000).await.unwrap();
    let ids: Vec<Uuid> = stored.iter().map(|event| event.event_id).collect();
    let good = units[..242].iter().enumerate().filter(|(n, _)| !bad.contains(n));
    assert_eq!(ids, good.map(|(_, unit)| unit.id).collect::<Vec<_>>());
    let transfers = (0..242).filter(|n| n % 2 == 0 && !bad.contains(n)).count();
    let balance = writer
        .read(|book, _| {
            book.account(&address("to"))
                .map(|account| account.balance().to_string())
        })
        .await
        .unwrap();
    assert_eq!(balance.as_deref(), Some(&*format!("{transfers}0000")));
    // Halving finds two in 243 within some thirty transactions, refused ones included.
    let batches = writer.appended().batches - before.batches;
    assert!(batches <= 20, "{batches}");
}

/// Many callers at once, and others after them.
#[tokio::test(flavor = "multi_thread")]
async fn the_others_of_a_batch_go_on() {
    let (_spy, writer) = writer().await;
    let calls: Vec<_> = (0..240)
        .map(|n| {
            let writer = writer.clone();
            let unit = match n % 120 {
                60 => note(UNWANTED),
                _ => note(&n.to_string()),
            };
            tokio::spawn(async move { (n, writer.append(unit).await) })
        })
        .collect();
    for call in calls {
        let (n, answer) = call.await.unwrap();
        assert_eq!(is_refused(&answer), n % 120 == 60, "{n}: {answer:?}");
        assert_eq!(answer.is_ok(), n % 120 != 60, "{n}: {answer:?}");
    }
    // What was refused may be sent again with the same id and another content, and a rehearsal says what the real call would.
    let mut unit = note(UNWANTED);
    assert!(is_refused(&writer.append(unit.clone()).await));
    unit.parts = note("something else").parts;
    writer.append(unit).await.unwrap();
    writer.append(transfer("after it")).await.unwrap();
}
