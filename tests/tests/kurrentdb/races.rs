//! Two processes append to one log. There is no lock between them: the revision that an append expects decides.

use super::support::{LOG, all, said, store, writer};
use std::collections::HashMap;
use uuid::Uuid;
use viral_commands::{AppendError, BookAt, Outcome};
use viral_store::{EventStore as _, Position, StoreError};
use viral_tests::kurrentdb::{Append, Fake};
use viral_tests::samples::{open, transfer};

#[tokio::test]
async fn whoever_comes_second_decides_anew() {
    let fake = Fake::start().await;
    let (slow, fast) = (store(&fake).await, store(&fake).await);
    let (slow_writer, fast_writer) = (writer(&slow).await, writer(&fast).await);
    for (slow_stream, slow_expects) in [("a", 0), ("b", 0), ("a", 2)] {
        fake.on_appends([Append::Held]);
        let held = {
            let (writer, unit) = (slow_writer.clone(), said(slow_stream, slow_expects, "slow"));
            tokio::spawn(async move { writer.append(unit).await })
        };
        fake.held(1).await;
        let head = fast.head().await.unwrap().position.0;
        let in_a = fast.read_stream(&viral_store::StreamId::new("note", "a"), 0, 10).await;
        let fast_outcome = fast_writer.append(said("a", in_a.unwrap().len() as u64, "fast")).await;
        assert_eq!(fast_outcome.unwrap().events()[0].position, Position(head + 1));
        fake.release();
        let slow_outcome = held.await.unwrap();
        match slow_stream {
            // It goes on top of what the other has written, at once.
            "b" => assert_eq!(slow_outcome.unwrap().events()[0].position, Position(head + 2)),
            // Its stream has moved.
            _ => assert!(
                matches!(slow_outcome, Err(AppendError::Conflict { .. })),
                "{slow_outcome:?}"
            ),
        }
    }
    assert_eq!(all(&*slow).await, all(&*fast).await);
}

#[tokio::test]
async fn an_append_on_an_old_head_is_overtaken_and_writes_nothing() {
    let fake = Fake::start().await;
    let (one, two) = (store(&fake).await, store(&fake).await);
    let outcome = writer(&two).await.append(said("a", 0, "first")).await.unwrap();
    let event = &outcome.events()[0];
    let next = |n: u64| viral_store::StoredEvent {
        position: Position(n),
        event_id: Uuid::now_v7(),
        sequence: n,
        ..event.clone()
    };
    let locked = one.lock().await.unwrap();
    two.lock().await.unwrap().append(&[next(2)]).await.unwrap();
    let overtaken = StoreError::Overtaken { written: 0 };
    assert_eq!(locked.append(&[next(2)]).await.unwrap_err(), overtaken);
    // Also where this process knows already.
    let locked = one.lock().await.unwrap();
    two.lock().await.unwrap().append(&[next(3)]).await.unwrap();
    assert_eq!(one.head().await.unwrap().position, Position(3));
    assert_eq!(locked.append(&[next(3)]).await.unwrap_err(), overtaken);
    assert_eq!(fake.len(LOG), 4);
}

/// Units that both processes send at once are appended by one of them.
#[tokio::test]
async fn the_same_unit_is_appended_by_one() {
    let fake = Fake::start().await;
    let (one, two) = (writer(&store(&fake).await).await, writer(&store(&fake).await).await);
    let mut appended = 0;
    for n in 0..20 {
        let unit = said("a", n, "x").with_request_hash("the same");
        let (first, second) = tokio::join!(one.append(unit.clone()), two.append(unit));
        let outcomes = [first.unwrap(), second.unwrap()];
        assert_eq!(outcomes[0].events(), outcomes[1].events());
        appended += outcomes.iter().filter(|it| matches!(it, Outcome::Appended(_))).count();
    }
    assert_eq!(appended, 20);
}

/// Two writers spend the same money as fast as they can while answers are lost, connections are cut and the server
/// refuses. What was acknowledged is in the log once, and nothing was spent that was not there.
#[tokio::test(flavor = "multi_thread")]
async fn money_is_spent_once_whatever_happens() {
    const TRANSFERS: u64 = 400;
    let fake = Fake::start().await;
    let (one, two) = (store(&fake).await, store(&fake).await);
    let writers = [writer(&one).await, writer(&two).await];
    for unit in [open("bank", true), open("a", false), transfer("bank", "a", "300")] {
        writers[0].append(unit).await.unwrap();
    }
    for (one_in, fault) in [(5, Append::AnswerLost), (7, Append::Cut), (11, Append::Unavailable)] {
        fake.on_every_append(one_in, fault);
    }
    let tasks: Vec<_> = (0..TRANSFERS)
        .map(|n| {
            let (writer, unit) = (writers[n as usize % 2].clone(), transfer("a", "bank", "1"));
            tokio::spawn(async move {
                // As a client does: with the same id until there is an answer.
                loop {
                    match writer.append(unit.clone()).await {
                        Ok(_) => return (unit.id, true),
                        Err(AppendError::Rejected(_)) => return (unit.id, false),
                        Err(error) => assert!(error.is_retryable(), "{error}"),
                    }
                }
            })
        })
        .collect();
    let mut acknowledged = Vec::new();
    for task in tasks {
        let (id, accepted) = task.await.unwrap();
        acknowledged.extend(accepted.then_some(id));
    }
    assert_eq!(acknowledged.len(), 300);
    let log = all(&*one).await;
    assert_eq!(log.len(), 3 + 300);
    let mut times: HashMap<Uuid, u32> = HashMap::new();
    for event in &log {
        *times.entry(event.event_id).or_default() += 1;
    }
    assert!(acknowledged.iter().all(|id| times[id] == 1));
    let third = store(&fake).await;
    assert_eq!(all(&*third).await, log);
    let mut replayed = BookAt::default();
    replayed.follow(&*third, Position(303)).await.unwrap();
    let replayed = replayed.book.state_text();
    for writer in writers {
        assert_eq!(writer.read(|book, _| book.state_text()).await.unwrap(), replayed);
    }
}
